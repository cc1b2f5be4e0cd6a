"""Which tasks ran, and when: a file of one time for each task, which the worker maps and the run reads."""

from __future__ import annotations

import mmap
import os
import time
from array import array
from functools import cache
from pathlib import Path

__all__ = ["MARKS", "make_marks", "mark", "seconds_of_drain"]

MARKS = "PEERS_MARKS"
"""The environment variable with the file's path."""


def make_marks(path: Path, count: int) -> None:
    """An empty file for this many tasks."""
    path.write_bytes(bytes(8 * count))


def seconds_of_drain(path: Path) -> float | None:
    """From the first execution to the last one; `None` while there is a task that has not run."""
    times = array("d", path.read_bytes())
    return max(times) - min(times) if all(times) else None


def mark(number: int) -> None:
    """This task runs now. A memory access and no system call; negative numbers are not counted."""
    if number >= 0:
        _times()[number] = time.monotonic()


@cache
def _times() -> memoryview[float]:
    with Path(os.environ[MARKS]).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
