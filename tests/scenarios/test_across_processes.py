"""A producer here, workers elsewhere: what the one asks, the others do; what they do, the one hears."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import TaskCancelled, TaskExpired
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import FLAKY, PARENT, STEPS, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)


async def test_progress_is_heard_while_the_task_runs(yard: Yard, stem: Stem) -> None:
    yard.start()
    handle = await STEPS.enqueue(stem)
    report = await anext(handle.progress())
    assert (report.done, report.total, report.message, report.data) == (1, 2, "half", '{"page":7}')
    assert (await handle.status()).state is TaskState.RUNNING


async def test_a_running_task_is_terminated_and_its_worker_works_on(yard: Yard, stem: Stem) -> None:
    worker = yard.start()
    handle = await STEPS.enqueue(stem)
    await anext(handle.progress())
    assert (await handle.cancel(terminate=True)).cancel_requested
    with pytest.raises(TaskCancelled):
        await handle.result(timeout=MINUTE)
    assert await WORK.enqueue_and_wait(stem, 0.0) == f"1:{worker.pid}"


async def test_a_failing_task_is_tried_again_until_it_succeeds(yard: Yard, stem: Stem, journal: Journal) -> None:
    yard.start()
    handle = await FLAKY.enqueue(stem)
    await handle.result(timeout=MINUTE)
    status = await handle.status()
    assert [entry.attempt for entry in journal.started(handle.id)] == [0, 1, 2]
    assert (status.attempt, status.crashes, status.state) == (2, 0, TaskState.SUCCEEDED)


async def test_a_task_that_crashes_between_its_children_makes_each_of_them_once(yard: Yard, stem: Stem) -> None:
    yard.start_rigged()
    handle = await PARENT.enqueue(stem)
    await eventually(lambda: yard.workers[0].is_dead, what=f"its death: {yard.said()}")
    yard.replace_dead()
    await handle.result(timeout=MINUTE)
    family = [record async for record in stem.inspect.every_task(TaskFilter(root=handle.id))]
    children = [record for record in family if record.parent == handle.id]
    assert (len(family), len(children)) == (3, 2)
    for child in children:
        await stem.handle(child.id).result(timeout=MINUTE)


async def test_a_delayed_task_starts_when_it_is_due_and_not_before(yard: Yard, stem: Stem) -> None:
    await yard.ready(stem, yard.start())
    handle = await WORK.options(delay=timedelta(seconds=1)).enqueue(stem, 0.0)
    due = (await handle.status()).due_at
    await handle.result(timeout=MINUTE)
    started = (await handle.status()).started_at
    assert due is not None
    assert started is not None
    assert started >= due


async def test_a_task_that_nobody_started_in_time_expires_and_never_runs(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    handle = await WORK.options(expires=timedelta(0)).enqueue(stem, 0.0)
    yard.start()
    with pytest.raises(TaskExpired):
        await handle.result(timeout=MINUTE)
    assert journal.started(handle.id) == []


async def test_what_is_more_urgent_starts_first_and_equals_in_order(yard: Yard, stem: Stem, journal: Journal) -> None:
    ordinary = await stem.enqueue_many([WORK.call(0.0)] * 5)
    urgent = await stem.enqueue_many([WORK.options(priority=9).call(0.0)] * 5)
    yard.start("-c", "1")
    await ordinary.result(timeout=MINUTE)
    order = [entry.task_id for entry in journal.started()]
    assert order == [handle.id for handle in [*urgent, *ordinary]]


async def test_a_worker_serves_the_queues_it_was_told_and_no_others(yard: Yard, stem: Stem, journal: Journal) -> None:
    other = await WORK.options(queue="other").enqueue(stem, 0.0)
    here = await WORK.options(queue="here").enqueue(stem, 0.0)
    yard.start("-q", "here:3")
    await here.result(timeout=MINUTE)
    assert (await other.status()).state is TaskState.QUEUED
    yard.start("-q", "other", "-q", "here")
    await other.result(timeout=MINUTE)
    assert len(journal.started()) == 2


async def test_two_workers_share_the_work_and_do_none_of_it_twice(yard: Yard, stem: Stem, journal: Journal) -> None:
    workers = [yard.start("-c", "2"), yard.start("-c", "2")]
    await yard.ready(stem, *workers)
    batch = await stem.enqueue_many([WORK.call(0.01)] * 200)
    await batch.result(timeout=MINUTE)
    assert len(journal.started()) == len(journal.ended()) == 200
    assert {entry.pid for entry in journal.started()} == {worker.pid for worker in workers}
