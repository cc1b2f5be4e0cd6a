"""The same for huey on its SQLite storage: one worker thread, results stored, no waiting for the disk (its fastest).

python peer_huey.py FILE COUNT      prints how many seconds passed from its first task to its last
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast


class Result(Protocol):
    def get(self, *, blocking: bool) -> object: ...


class Noop(Protocol):
    def __call__(self, number: int) -> Result: ...


class Consumer(Protocol):
    def start(self) -> None: ...
    def stop(self, graceful: bool) -> None: ...


class Huey(Protocol):
    """The part of huey, which has no annotations, that is used here."""

    def task(self) -> object: ...
    def create_consumer(self) -> Consumer: ...
    def result_count(self) -> int: ...


class Times:
    """When the first and the last task ran, and how many did."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.ran = 0

    def mark(self) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self.ran += 1


def has_huey() -> bool:
    """Whether huey is installed; says so when it is not."""
    found = find_spec("huey") is not None
    if not found:
        print("huey is not installed, so there is nothing to compare with: pip install huey", file=sys.stderr)
    return found


def open_huey(file: Path, times: Times) -> tuple[Huey, Noop]:
    """A huey on this file, and its task that does nothing."""
    huey = cast("Huey", importlib.import_module("huey").SqliteHuey(filename=str(file), fsync=False))

    def noop(number: int) -> int:
        times.mark()
        return number

    noop.__module__ = "peer_huey"  # huey finds tasks by it, and the worker runs this file as its main module
    decorate = huey.task()
    assert callable(decorate)
    return huey, cast("Noop", decorate(noop))


def work(file: Path, amount: int) -> None:
    times = Times()
    huey, _ = open_huey(file, times)
    consumer = huey.create_consumer()
    consumer.start()
    print("ready", flush=True)
    while times.ran < amount:
        time.sleep(0.02)
    consumer.stop(graceful=True)
    print(json.dumps({"seconds": times.last - times.first, "results": huey.result_count()}))


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
