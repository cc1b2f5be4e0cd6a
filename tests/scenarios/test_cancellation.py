"""Cancelling: what waits ends at once, what runs is asked to end, what has ended stays; and no id is spoilt by it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stem import Registry, Stem
from stem.contracts.changes import APPLIED, Cancel, Park, Replay, Reschedule
from stem.errors import TaskCancelled, TaskFailed, UnknownId
from stem.tasks.definition import TaskDefinition
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.build import SUCCESS, Bench, seconds
from tests.scenarios.support.engines import EVERYWHERE
from tests.scenarios.support.jobs import DEAF, HELD_APART, IN_C, QUICK, WORK, quick
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)

everywhere = pytest.mark.parametrize("engine", EVERYWHERE)


async def queued(bench: Bench) -> str:
    return await bench.put()


async def scheduled(bench: Bench) -> str:
    return await bench.put(delay=seconds(3600))


async def retrying(bench: Bench) -> str:
    await bench.put()
    return await bench.finish(Reschedule(seconds(5), Failure("E", "m")))


async def parked(bench: Bench) -> str:
    await bench.put()
    return await bench.finish(Park("unknown task", "registry-1", seconds(300)))


@everywhere
async def test_what_waits_is_cancelled_at_once_and_never_runs(bench: Bench) -> None:
    for waiting in (queued, scheduled, retrying, parked):
        task = await waiting(bench)
        await bench.apply(Cancel(task))
        assert await bench.state(task) is TaskState.CANCELLED
    bench.clock.advance(7200)
    assert await bench.leased_ids(9, fingerprint="registry-2") == []


@everywhere
async def test_a_cancel_that_meets_the_end_of_its_task_changes_nothing_of_it(bench: Bench) -> None:
    for number in range(10):
        delivery = await bench.running()
        both = [bench.write(Cancel(delivery.fence.task_id)), bench.write(SUCCESS, fence=delivery.fence)]
        assert await asyncio.gather(*(reversed(both) if number % 2 else both)) == [APPLIED, APPLIED]
        assert await bench.state(delivery.fence.task_id) is TaskState.SUCCEEDED


@everywhere
async def test_cancelling_what_nobody_knows_is_an_error_and_spoils_no_id(place: str) -> None:
    async with Stem(place) as stem, stem.worker(Registry.of(quick)):
        with pytest.raises(UnknownId):
            await stem.handle("order-7").cancel()
        assert await QUICK.options(task_id="order-7").enqueue_and_wait(stem, 7) == 7


@everywhere
async def test_what_was_cancelled_runs_when_it_is_replayed(bench: Bench) -> None:
    task = await bench.put()
    await bench.apply(Cancel(task))
    await bench.apply(Replay(task, 0))
    assert await bench.finish_all() == [task]
    assert await bench.state(task) is TaskState.SUCCEEDED


@pytest.mark.slow
@pytest.mark.parametrize("definition", [DEAF, IN_C], ids=["deaf to its cancellation", "in a loop in C"])
async def test_it_is_killed_at_its_hard_limit_and_its_worker_works_on(
    definition: TaskDefinition[[], str], yard: Yard, stem: Stem, journal: Journal
) -> None:
    worker = yard.start()
    handle = await definition.options(max_retries=0).enqueue(stem)
    with pytest.raises(TaskFailed) as failed:
        await handle.result(timeout=MINUTE)
    assert failed.value.kind == "HardTimeLimit"
    (started,) = journal.started(handle.id)
    assert started.pid != worker.pid
    assert await WORK.enqueue_and_wait(stem, 0.0) == f"1:{worker.pid}"


@pytest.mark.slow
async def test_it_is_killed_when_it_is_terminated_and_does_not_listen(yard: Yard, stem: Stem, journal: Journal) -> None:
    worker = yard.start()
    handle = await HELD_APART.enqueue(stem)
    await eventually(lambda: journal.started(handle.id), what=f"its start: {worker.said()}")
    await handle.cancel(terminate=True)
    with pytest.raises(TaskCancelled):
        await handle.result(timeout=MINUTE)
    assert await WORK.enqueue_and_wait(stem, 0.0) == f"1:{worker.pid}"
