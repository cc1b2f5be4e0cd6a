"""Where log lines go. A library must not decide that, so only the command line does."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

__all__ = ["JsonLines", "configure_logging", "log_options"]

F = TypeVar("F", bound=Callable[..., Any])

_TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def log_options(command: F) -> F:
    """`--log-level` and `--log-format`."""
    levels = click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)
    formats = click.Choice(["auto", "text", "json"])
    level = click.option("--log-level", type=levels, default="info", envvar="STEM_LOG_LEVEL", show_default=True)
    kind = click.option(
        "--log-format",
        type=formats,
        default="auto",
        envvar="STEM_LOG_FORMAT",
        show_default=True,
        help="auto: text at a terminal, else json.",
    )
    return level(kind(command))


def configure_logging(level: str, kind: str) -> None:
    """One handler on the root logger, writing to stderr."""
    as_text = kind == "text" or (kind == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_TEXT) if as_text else JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, what the call added with `extra`, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; values that JSON does not know are written as their text."""
        added = {name: value for name, value in vars(record).items() if name not in _OWN}
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **added,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
