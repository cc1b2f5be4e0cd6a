"""A worker that stood still for longer than its lease wakes up to find its task done by another: it cannot write."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

import pytest

from stem.app import Stem
from stem.clock import to_micros
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from tests.scenarios.support.engines import SHARED
from tests.scenarios.support.jobs import BRIEF, HELD, LATE
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once, held_by
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

FREEZES = 20
PATIENT = BRIEF.options(max_retries=FREEZES)
"""A task may be in the hands of the frozen worker every time: each time uses an attempt."""
MINUTE = timedelta(seconds=60)


@pytest.mark.slow
@pytest.mark.parametrize("engine", SHARED)
async def test_the_late_finish_of_a_frozen_worker_is_fenced(yard: Yard, stem: Stem, journal: Journal) -> None:
    frozen = yard.start_rigged()
    handle = await LATE.enqueue(stem)
    await eventually(lambda: journal.in_hand(frozen.pid), what=f"its start: {frozen.said()}")
    yard.freeze(frozen)
    rescuer = yard.start_rigged()
    result = await handle.result(timeout=MINUTE)

    yard.open_gate()
    frozen.send(signal.SIGCONT)
    await eventually(lambda: journal.ended(handle.id, pid=frozen.pid), what="the late finish")
    frozen.send(signal.SIGTERM)
    assert await frozen.exit_code() == 0

    status = await handle.status()
    assert result == f"2:{rescuer.pid}"
    assert await handle.result() == result
    assert (status.state, status.crashes, status.attempt) == (TaskState.SUCCEEDED, 1, 1)


@pytest.mark.slow
async def test_a_worker_that_was_frozen_works_on(yard: Yard, stem: Stem, journal: Journal) -> None:
    frozen = yard.start_rigged()
    handle = await LATE.enqueue(stem)
    await eventually(lambda: journal.in_hand(frozen.pid), what=f"its start: {frozen.said()}")
    yard.freeze(frozen)
    rescuer = yard.start_rigged()
    await handle.result(timeout=MINUTE)
    rescuer.kill()

    yard.open_gate()
    frozen.send(signal.SIGCONT)
    assert await BRIEF.enqueue_and_wait(stem) == f"1:{frozen.pid}"


@pytest.mark.slow
@pytest.mark.parametrize("engine", SHARED)
async def test_what_is_published_while_a_waiting_worker_is_frozen_is_run_by_another(yard: Yard, stem: Stem) -> None:
    other, frozen = yard.start_rigged(), yard.start_rigged()
    while await BRIEF.enqueue_and_wait(stem) != f"1:{frozen.pid}":
        pass
    yard.freeze(frozen)
    handle = await PATIENT.enqueue(stem)
    assert str(await handle.result(timeout=MINUTE)).endswith(f":{other.pid}")


@pytest.mark.slow
async def test_what_a_frozen_worker_has_in_its_hands_is_known_without_its_answer(yard: Yard, stem: Stem) -> None:
    worker = yard.start_rigged("--beat", "0.5")
    handle = await HELD.enqueue(stem)

    async def told() -> bool:
        return any(record.heartbeat.tasks for record in await stem.inspect.workers())

    await eventually(told, what=f"a sign of life that names it: {worker.said()}")
    yard.freeze(worker)
    answers = await stem.control.inspect([worker.name], timeout=timedelta(milliseconds=100))
    assert (answers.answers, answers.silent) == ((), (worker.name,))
    (record,) = answers.told
    (task,) = record.heartbeat.tasks
    assert (task.id, task.name, task.queue, task.attempt) == (handle.id, HELD.name, "default", 0)
    assert abs(record.since(task) - to_micros(await started_at(handle))) < to_micros(timedelta(seconds=5))


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_workers_frozen_twenty_times_under_load_end_no_task_twice(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    workers = [yard.start_rigged(), yard.start_rigged()]
    batches = [await stem.enqueue_many([PATIENT.call(0.2)] * 60)]
    for number in range(FREEZES):
        frozen = workers[number % 2]
        await eventually(partial(journal.in_hand, frozen.pid), what=frozen.said())
        yard.freeze(frozen)
        lost = {task_id: len(journal.started(task_id)) for task_id in await held_by(frozen.name, stem)}
        batches.append(await stem.enqueue_many([PATIENT.call(0.2)] * 60))
        await eventually(partial(_run_elsewhere, lost, journal), what=f"other starts of {lost}: {yard.said()}")
        before = len(journal.started(pid=frozen.pid))
        frozen.send(signal.SIGCONT)
        while not _works_on(frozen.pid, before, journal):
            batches.append(await stem.enqueue_many([PATIENT.call(0.2)] * 5))  # the other one may have left it nothing
            await asyncio.sleep(0.05)

    await assert_each_ended_once(chain.from_iterable(batches), stem, journal)


async def started_at(handle: TaskHandle[str]) -> datetime:
    """When it began, by the store's clock."""
    found = (await handle.status()).started_at
    assert found is not None
    return found


def _run_elsewhere(lost: dict[str, int], journal: Journal) -> bool:
    return all(len(journal.started(task_id)) > starts for task_id, starts in lost.items())


def _works_on(pid: int, before: int, journal: Journal) -> bool:
    return len(journal.started(pid=pid)) > before
