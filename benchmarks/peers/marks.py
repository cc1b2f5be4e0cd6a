"""Which tasks ran, and when: a file of one time for each task, which the worker maps and the run reads."""

from __future__ import annotations

import mmap
import os
import time
from array import array
from functools import cache
from pathlib import Path

__all__ = ["MARKS", "STARTS", "make_marks", "mark", "seconds_of_drain", "starts"]

MARKS = "PEERS_MARKS"
"""The environment variable with the file's path."""


STARTS = "PEERS_STARTS"
"""The environment variable with the path of a file that gets a line for each execution; the first one never ends."""


def make_marks(path: Path, count: int) -> None:
    """An empty file for this many tasks."""
    path.write_bytes(bytes(8 * count))


def seconds_of_drain(path: Path) -> float | None:
    """From the first execution to the last one; `None` while there is a task that has not run."""
    times = array("d", path.read_bytes())
    return max(times) - min(times) if all(times) else None


def mark(number: int) -> None:
    """This task runs now. A memory access and no system call; negative numbers are not counted."""
    if STARTS in os.environ:
        _begin(Path(os.environ[STARTS]))
    elif number >= 0:
        _times()[number] = time.monotonic()


def starts(path: Path) -> list[float]:
    """When the task was begun, each time."""
    return [float(line) for line in path.read_text().splitlines()] if path.exists() else []


def _begin(path: Path) -> None:
    """Note the time; the first execution goes on until its process is killed."""
    is_first = not path.exists()
    with path.open("a") as file:
        file.write(f"{time.monotonic()}\n")
    if is_first:
        time.sleep(600)


@cache
def _times() -> memoryview[float]:
    with Path(os.environ[MARKS]).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
