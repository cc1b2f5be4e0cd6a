"""Drives one adapter inside its environment, told line by line what to do.

    python -m benchmarks.peers.driver produce ADAPTER    reads "VERB COUNT" lines, answers each with a JSON list
    python -m benchmarks.peers.driver work ADAPTER       one worker process

Only the standard library is imported, besides the adapter.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import islice
from typing import Any, Final, Protocol, cast

from .inside import run

__all__ = ["AsyncCallers", "BlockingCallers"]

CALLERS: Final = 100
THREADS: Final = 4
"""For what blocks: more only wait for the interpreter. Each keeps its share of the 100 in flight."""
GAP: Final = 0.005
WARM_UP: Final = 10
UNCOUNTED: Final = -1

Job = object


class Adapter(Protocol):
    """A module of `adapters`. Either all functions but `work` are coroutine functions, or none is."""

    def start(self) -> Any: ...
    def enqueue(self, number: int, /) -> Any: ...
    def result(self, job: Job, /) -> Any: ...
    def work(self) -> None: ...


class Callers(Protocol):
    """Who enqueues and waits. Each verb answers seconds; `latency` one for each sample, the others one for all."""

    async def start(self, count: int) -> list[float]: ...
    async def enqueue(self, count: int) -> list[float]: ...
    async def check(self, count: int) -> list[float]: ...
    async def latency(self, count: int) -> list[float]: ...
    async def round_trips(self, count: int) -> list[float]: ...


class AsyncCallers:
    """A hundred coroutines on one event loop."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._last: deque[Job] = deque(maxlen=CALLERS)

    async def start(self, count: int) -> list[float]:
        """Open the producer."""
        await self._adapter.start()
        return []

    async def enqueue(self, count: int) -> list[float]:
        """Store so many tasks."""
        numbers = iter(range(count))

        async def caller() -> None:
            for number in numbers:
                self._last.append(await self._adapter.enqueue(number))

        return [await _timed(_gather(caller))]

    async def check(self, count: int) -> list[float]:
        """Return when the last tasks' results have been read."""
        return [await _timed(_results(self._adapter, list(self._last)))]

    async def latency(self, count: int) -> list[float]:
        """One round trip at a time, with a pause before each."""
        samples: list[float] = []
        for _ in range(count + WARM_UP):
            await asyncio.sleep(GAP)
            samples.append(await _timed(self._trip()))
        return samples[WARM_UP:]

    async def round_trips(self, count: int) -> list[float]:
        """Round trips, a hundred at a time."""
        numbers = iter(range(count))

        async def caller() -> None:
            for _ in numbers:
                await self._trip()

        return [await _timed(_gather(caller))]

    async def _trip(self) -> None:
        await self._adapter.result(await self._adapter.enqueue(UNCOUNTED))


class BlockingCallers:
    """A few threads. For round trips each stores its share of the hundred and then collects it."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._last: deque[Job] = deque(maxlen=CALLERS)

    async def start(self, count: int) -> list[float]:
        """Open the producer."""
        self._adapter.start()
        return []

    async def enqueue(self, count: int) -> list[float]:
        """Store so many tasks."""
        numbers = iter(range(count))

        def caller() -> None:
            for number in numbers:
                self._last.append(self._adapter.enqueue(number))

        return [_in_threads(caller)]

    async def check(self, count: int) -> list[float]:
        """Return when the last tasks' results have been read."""
        for job in self._last:
            self._adapter.result(job)
        return []

    async def latency(self, count: int) -> list[float]:
        """One round trip at a time, with a pause before each."""
        samples: list[float] = []
        for _ in range(count + WARM_UP):
            time.sleep(GAP)  # noqa: ASYNC251 - nothing else runs on this loop
            began = time.perf_counter()
            self._adapter.result(self._adapter.enqueue(UNCOUNTED))
            samples.append(time.perf_counter() - began)
        return samples[WARM_UP:]

    async def round_trips(self, count: int) -> list[float]:
        """Round trips, a hundred at a time."""
        numbers = iter(range(count))

        def caller() -> None:
            while share := [self._adapter.enqueue(UNCOUNTED) for _ in islice(numbers, CALLERS // THREADS)]:
                for job in share:
                    self._adapter.result(job)

        return [_in_threads(caller)]


async def _gather(caller: Callable[[], Coroutine[object, object, None]]) -> None:
    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def _results(adapter: Adapter, jobs: list[Job]) -> None:
    await asyncio.gather(*(adapter.result(job) for job in jobs))


async def _timed(work: Coroutine[object, object, None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _in_threads(caller: Callable[[], None]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(caller) for _ in range(THREADS)]:
            done.result()
    return time.perf_counter() - began


async def produce(adapter: Adapter) -> None:
    """Do what the lines on stdin say until they end. What the peer prints goes to stderr."""
    callers = AsyncCallers(adapter) if inspect.iscoroutinefunction(adapter.enqueue) else BlockingCallers(adapter)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        verb, count = line.split()
        answers.write(json.dumps(await _verbs(callers)[verb](int(count))) + "\n")


def _verbs(callers: Callers) -> dict[str, Callable[[int], Coroutine[object, object, list[float]]]]:
    return {
        "start": callers.start,
        "enqueue": callers.enqueue,
        "check": callers.check,
        "latency": callers.latency,
        "round_trips": callers.round_trips,
    }


def main(role: str, name: str) -> None:
    adapter = cast("Adapter", import_module(f"benchmarks.peers.adapters.{name}"))
    if role == "work":
        adapter.work()
    else:
        run(produce(adapter))


if __name__ == "__main__":
    main(*sys.argv[1:])
