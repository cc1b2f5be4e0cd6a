"""Limits over worker processes, judged by the times that the store has recorded."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import accumulate

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.tasks.status import TaskRecord
from stem.testing.contracts.allowances import allow, publish_many
from stem.testing.contracts.build import SUCCESS, Bench
from tests.scenarios.support.engines import EVERYWHERE, SHARED
from tests.scenarios.support.jobs import CROWDED, LONE, METERED
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)
SECOND = 1_000_000


async def records_of(stem: Stem, name: str) -> list[TaskRecord]:
    return [record async for record in stem.inspect.every_task(TaskFilter(name=name))]


def most_at_once(records: list[TaskRecord]) -> int:
    """By the store's clock; what ends and what begins at one moment do not meet."""
    begins = [(record.started_at or 0, 1) for record in records]
    ends = [(record.finished_at or 0, -1) for record in records]
    return max(accumulate(change for _, change in sorted(begins + ends)))


@pytest.mark.parametrize("engine", SHARED)
async def test_four_processes_exceed_neither_a_rate_nor_a_concurrency(yard: Yard, stem: Stem, journal: Journal) -> None:
    await yard.ready(stem, *(yard.start("-c", "50", registry="limited") for _ in range(4)))
    batch = await stem.enqueue_many([*[METERED.call()] * 90, *[CROWDED.call()] * 60])
    await batch.result(timeout=MINUTE)
    taken, crowd = await records_of(stem, METERED.name), await records_of(stem, CROWDED.name)
    starts = sorted(record.started_at or 0 for record in taken)
    assert all(late - early >= SECOND for early, late in zip(starts, starts[40:], strict=False))
    assert most_at_once(crowd) <= 3
    assert {record.deliveries for record in (*taken, *crowd)} == {1}
    assert len(journal.started()) == 150


async def test_a_place_of_a_killed_worker_comes_back(yard: Yard, stem: Stem, journal: Journal) -> None:
    victim = yard.start(registry="limited")
    batch = await stem.enqueue_many([LONE.call()] * 3)
    await eventually(journal.started, what=f"a first start: {yard.said()}")
    await yard.ready(stem, yard.start(registry="limited"))
    victim.kill()
    await eventually(lambda: len(journal.started()) == 2, what=f"a rescue: {yard.said()}")
    yard.open_gate()
    await batch.result(timeout=MINUTE)
    records = await records_of(stem, LONE.name)
    assert sum(record.crashes for record in records) == 1
    assert sorted(record.deliveries for record in records) == [1, 1, 2]
    assert len(journal.started()) == 4


@pytest.mark.parametrize("engine", EVERYWHERE)
async def test_twenty_workers_that_ask_at_once_start_no_more_than_the_rate_allows(bench: Bench) -> None:
    await allow(bench, "5/s")
    await publish_many(bench, 30)
    starts: list[int] = []
    for _ in range(10):
        given = await asyncio.gather(*(bench.leased_ids(5, worker=f"worker-{number}") for number in range(20)))
        starts += [bench.clock.now()] * sum(map(len, given))
        bench.clock.advance(0.25)
    assert len(starts) == 10
    assert all(late - early >= SECOND for early, late in zip(starts, starts[5:], strict=False))


@pytest.mark.parametrize("engine", EVERYWHERE)
async def test_a_place_that_a_dead_worker_held_is_free_when_its_task_has_been_rescued_and_ended(bench: Bench) -> None:
    await allow(bench, concurrency=1)
    _, waiting = await publish_many(bench, 2)
    lost = await bench.delivery()
    assert await bench.leased_ids() == []
    rescued = await bench.lose(lost)
    await bench.apply(SUCCESS, fence=rescued.fence)
    assert await bench.leased_ids() == [waiting]
