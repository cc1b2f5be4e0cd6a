"""Log lines as JSON."""

from __future__ import annotations

import json
import logging
import sys

from stem.cli.logs import JsonLines


def line_of(record: logging.LogRecord) -> dict[str, object]:
    document: dict[str, object] = json.loads(JsonLines().format(record))
    return document


def record_of(**more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "stem.worker", "levelname": "INFO", "msg": "took %d", "args": (3,), **more})


def test_a_line_has_time_level_logger_and_message() -> None:
    line = line_of(record_of(created=0.5))
    assert line == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "info",
        "logger": "stem.worker",
        "message": "took 3",
    }


def test_what_a_call_adds_is_a_field_of_its_own() -> None:
    assert line_of(record_of(task_id="t1", odd={1}))["task_id"] == "t1"


def test_an_error_brings_its_traceback() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        line = line_of(record_of(exc_info=sys.exc_info()))
    assert "ValueError: no" in str(line["traceback"])
