"""The task of the run, and the book into which each attempt writes a line when it begins and when it ends."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from stem import Registry, Retry, TaskContext, definition, task

__all__ = ["BOOK", "HIT", "Line", "read_book", "registry"]

BOOK: Final = "CHAOS_BOOK"
"""The environment variable with the path of the book."""


class HopelessError(Exception):
    """What no repetition mends."""


_OFTEN: Final = Retry(initial=timedelta(milliseconds=200), max_delay=timedelta(seconds=2), give_up_on=(HopelessError,))


@task(name="chaos.hit", max_retries=30, retry=_OFTEN)
async def hit(ctx: TaskContext, number: int, milliseconds: int, failures: int, hopeless: bool) -> int:
    """Takes its time, and fails as often as it is told to."""
    _write(ctx, "begin")
    await asyncio.sleep(milliseconds / 1000)
    if hopeless:
        raise HopelessError("told to fail for good")
    if ctx.attempt < failures:
        raise RuntimeError("told to fail")
    _write(ctx, "end")
    return number


registry = Registry.of(hit)
HIT = definition(hit)


@dataclass(frozen=True, slots=True)
class Line:
    """One side effect: what an attempt did, under which fence."""

    what: str
    task_id: str
    fence: int


def read_book(path: Path) -> list[Line]:
    """All lines; the last one of a worker that was killed while it wrote may be cut short, and did not happen."""
    words = [line.split() for line in path.read_text().splitlines()]
    return [Line(what, task_id, int(fence)) for what, task_id, fence, mark in (w for w in words if len(w) == 4) if mark]


def _write(ctx: TaskContext, what: str) -> None:
    """One call of the system for each line, so that lines of several processes never mix."""
    book = os.open(os.environ[BOOK], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(book, f"{what} {ctx.task_id} {ctx.fence} .\n".encode())
    finally:
        os.close(book)
