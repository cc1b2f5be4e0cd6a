"""A whole application on a store that fails by chance: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

import pytest

from stem import Registry, Retry, Stem, SyncStem, TaskContext, definition, task
from stem.adapters.memory import MemoryStore
from stem.errors import TaskFailed
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from stem.testing.faults import Faults

T = TypeVar("T")

SOON = Retry(initial=timedelta(seconds=1))
MANY = 30


@task(name="tests.doubled")
async def doubled(number: int) -> int:
    return 2 * number


@task(name="tests.flaky", retry=SOON)
async def flaky(ctx: TaskContext) -> int:
    if ctx.attempt < 2:
        raise ConnectionError("not yet")
    return ctx.attempt


@task(name="tests.hopeless", max_retries=0)
async def hopeless() -> None:
    raise ValueError("never")


@task(name="tests.parent")
async def parent(ctx: TaskContext, number: int) -> None:
    ctx.follow_up(DOUBLED.call(number))


DOUBLED, FLAKY, HOPELESS, PARENT = definition(doubled), definition(flaky), definition(hopeless), definition(parent)
REGISTRY = Registry.of(doubled, flaky, hopeless, parent)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    return MemoryStore(clock)


async def as_time_passes(clock: ManualClock, work: Coroutine[object, object, T]) -> T:
    """What this comes to, while the clock goes on as fast as the loop lets it."""
    working = asyncio.ensure_future(work)
    while not working.done():
        await clock.run_for(0.05)
        await asyncio.sleep(0.001)  # the worker's threads have their turn, too
    return await working


async def everything_ends(stem: Stem) -> list[int]:
    async with stem, stem.worker(REGISTRY, concurrency=5):
        results = await asyncio.gather(*[enqueue(stem, number) for number in range(MANY)])
        return [result for result in results if result is not None]


async def enqueue(stem: Stem, number: int) -> int | None:
    """One of four tasks, enqueued and awaited."""
    kinds = (DOUBLED.call(number), FLAKY.call(), PARENT.call(number))
    if number % 4 == 3:
        with pytest.raises(TaskFailed):
            await _result(await HOPELESS.enqueue(stem))
        return None
    return await _result(await stem.enqueue(kinds[number % 4]))


async def _result(handle: TaskHandle[T]) -> T:
    return await handle.result()


@pytest.mark.parametrize("seed", range(5))
async def test_a_worker_under_random_faults_loses_nothing(seed: int, store: MemoryStore, clock: ManualClock) -> None:
    faults = Faults.from_seed(seed, fail=0.1, drop=0.1, delay=0.1, clock=clock)
    stem = Stem("memory://", clock=clock, wrap=lambda _: faults.around(store))
    results = await as_time_passes(clock, everything_ends(stem))
    records = (await Bench(store, clock).everything()).values()
    assert {record.result for record in records if record.name == "tests.flaky"} == {b"2"}
    assert Counter((record.name, record.state) for record in records) == {
        ("tests.doubled", TaskState.SUCCEEDED): 8 + 7,
        ("tests.flaky", TaskState.SUCCEEDED): 8,
        ("tests.hopeless", TaskState.FAILED): 7,
        ("tests.parent", TaskState.SUCCEEDED): 7,
    }
    assert sorted(results) == sorted([*range(0, 2 * MANY, 8), *([2] * 8)])
    assert len(faults.record) > 5, faults


async def test_what_a_client_is_wrapped_in_stands_before_its_store() -> None:
    faults = Faults()
    async with Stem("memory://", wrap=faults.around) as stem:
        await DOUBLED.enqueue(stem, 1)
    assert faults.counts["commit"] == 1


def test_a_blocking_client_can_be_wrapped_too() -> None:
    faults = Faults()
    with SyncStem("memory://", wrap=faults.around) as stem:
        stem.enqueue(DOUBLED.call(1))
    assert faults.counts["commit"] == 1
