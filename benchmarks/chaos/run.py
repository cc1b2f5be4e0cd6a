"""One run: workers as processes, a blow each second while there is work, then the audit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stem import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import StoreError
from stem.tasks.state import LIVE
from stem.tasks.status import TaskRecord

from .audit import audit
from .jobs import BOOK, HIT, read_book
from .places import Place
from .plan import Blow, Job, Plan

__all__ = ["Outcome", "run"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_PROGRAM: Final = "from stem.cli.main import main; main()"
_PRODUCERS: Final = 50
_LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found. `seconds` from the first task to the end of the last one."""

    tasks: int
    seconds: float
    killed: int
    restarted: int
    crashed: int
    """Tasks that were running when their worker died."""
    retried: int
    broken: tuple[str, ...]
    """The promises that were broken, as sentences."""


async def run(plan: Plan, place: Place, *, workers: int, limit: float, folder: Path) -> Outcome:
    """Raises `TimeoutError` when the tasks have not all ended within `limit` seconds."""
    book = folder / "book"
    book.touch()
    began = time.monotonic()
    async with _crew(place.url, workers, book, folder) as crew, Stem(place.url) as stem, asyncio.timeout(limit):
        blows = asyncio.create_task(_strike(plan.blows, crew, place))
        jobs = await _enqueue(stem, plan.jobs)
        struck = await blows
        records = await _ended(stem, jobs)
    return Outcome(
        tasks=len(jobs),
        seconds=time.monotonic() - began,
        killed=len(struck),
        restarted=sum(blow.restart for blow in struck),
        crashed=sum(record.crashes > 0 for record in records.values()),
        retried=sum(record.attempt > 0 for record in records.values()),
        broken=tuple(audit(jobs, records, read_book(book))),
    )


class _Crew:
    """So many workers, each in a process; one that was killed is replaced at once."""

    def __init__(self, url: str, book: Path, folder: Path) -> None:
        self._url, self._book, self._folder = url, book, folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        words = ("worker", "benchmarks.chaos.jobs:registry", "--url", self._url, "-c", "25", "--log-level", "error")
        with (self._folder / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *words],
                cwd=_ROOT,
                env={**os.environ, BOOK: str(self._book)},
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def replace(self, number: int) -> None:
        """Kill one with SIGKILL, and start another one in its place."""
        victim = self._processes.pop(number % len(self._processes))
        victim.kill()
        victim.wait()
        self.start()

    def end(self) -> None:
        """Kill all that are left."""
        for process in self._processes:
            process.kill()
            process.wait()


@asynccontextmanager
async def _crew(url: str, count: int, book: Path, folder: Path) -> AsyncGenerator[_Crew]:
    crew = _Crew(url, book, folder)
    try:
        for _ in range(count):
            crew.start()
        yield crew
    finally:
        crew.end()


async def _strike(blows: tuple[Blow, ...], crew: _Crew, place: Place) -> list[Blow]:
    for blow in blows:
        await asyncio.sleep(1)
        crew.replace(blow.victim)
        if blow.restart and place.restart is not None:
            await asyncio.to_thread(place.restart)
    return list(blows)


async def _enqueue(stem: Stem, jobs: tuple[Job, ...]) -> Mapping[str, Job]:
    """Enqueue each job once, from many callers; the ids that were accepted."""
    accepted: dict[str, Job] = {}
    left = iter(jobs)

    async def produce() -> None:
        for job in left:
            handle = await HIT.enqueue(stem, job.number, job.milliseconds, job.failures, job.hopeless)
            accepted[handle.id] = job

    await asyncio.gather(*(produce() for _ in range(_PRODUCERS)))
    return accepted


async def _ended(stem: Stem, jobs: Mapping[str, Job]) -> dict[str, TaskRecord]:
    """The records of all tasks, once none of them lives any more."""
    while True:
        with suppress(StoreError):
            if not (await stem.inspect.tasks(TaskFilter(states=LIVE), limit=1)).records:
                return {record.id: record async for record in stem.inspect.every_task(TaskFilter())}
        await asyncio.sleep(_LOOK_EVERY)
