"""Waiting at a terminal shows the task's progress; waiting in a pipe is silent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from stem.cli.waiting import wait_for
from stem.errors import TaskFailed
from stem.tasks.status import Progress

if TYPE_CHECKING:
    from stem import Stem


class Told:
    """A client whose task reports twice and then ends, with a result or with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.reported = asyncio.Event()

    async def wait_result(self, task_id: str, timeout: timedelta | None, /) -> bytes:
        await asyncio.wait_for(self.reported.wait(), 5)
        if self._error is not None:
            raise self._error
        return b'"done"'

    async def task_progress(self, task_id: str, /) -> AsyncIterator[Progress]:
        yield Progress(1, 3, 10, "resizing\x1b[31m")
        yield Progress(2, 4)
        self.reported.set()
        await asyncio.sleep(3600)


Captured = pytest.CaptureFixture[str]


async def test_a_terminal_shows_each_report_and_is_clean_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert await wait_for(cast("Stem", Told()), "t1", None) == b'"done"'
    steps = capsys.readouterr().err.split("\r\x1b[K")
    assert steps == ["waiting…", "3/10 resizing[31m", "4", ""]


async def test_the_error_of_the_task_is_raised_after_the_line_is_cleared(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    failed = TaskFailed(expected="a", found="b", do="c")
    with pytest.raises(TaskFailed):
        await wait_for(cast("Stem", Told(failed)), "t1", None)
    assert capsys.readouterr().err.endswith("\r\x1b[K")


async def test_a_pipe_hears_nothing(capsys: Captured) -> None:
    told = Told()
    told.reported.set()
    assert await wait_for(cast("Stem", told), "t1", None) == b'"done"'
    assert capsys.readouterr().err == ""
