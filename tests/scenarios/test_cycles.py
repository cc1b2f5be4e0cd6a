"""A worker that is started and stopped a hundred times leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from stem import Registry, Stem
from tests.scenarios.support.engines import on_servers
from tests.scenarios.support.jobs import APART, QUICK, apart, quick
from tests.scenarios.support.waiting import eventually

CYCLES = 100
CYCLES_ON_A_SERVER = 40
IN_A_CHILD = 98
"""From this cycle on a task runs in a child process, too: a child takes a second to start."""

_OF_THE_LOOP = "asyncio_"
"""Threads of the pool that every event loop has; it grows to a few and stays."""

registry = Registry.of(quick, apart)


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds."""

    tasks: int
    threads: int
    files: int
    children: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
        threads = [thread for thread in threading.enumerate() if not thread.name.startswith(_OF_THE_LOOP)]
        files = list(Path("/proc/self/fd").iterdir())
        return cls(len(asyncio.all_tasks()), len(threads), len(files), len(children))

    def is_within(self, other: Held) -> bool:
        return all(getattr(self, name) <= getattr(other, name) for name in self.__dataclass_fields__)


async def _cycle(url: str, number: int) -> None:
    async with Stem(url) as stem, stem.worker(registry):
        assert await stem.enqueue_and_wait(QUICK.call(number)) == number
        if number >= IN_A_CHILD:
            assert await stem.enqueue_and_wait(APART.call()) != os.getpid()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "cycles"), [("memory", CYCLES), ("sqlite", CYCLES), *on_servers(CYCLES_ON_A_SERVER)]
)
async def test_starts_and_stops_again_and_again_leak_no_task_thread_file_or_child(place: str, cycles: int) -> None:
    for number in range(3):
        await _cycle(place, number)
    before = Held.now()
    for number in range(CYCLES - cycles, CYCLES):
        await _cycle(place, number)

    await eventually(lambda: Held.now().is_within(before), within=10, what=f"{Held.now()} within {before}")
