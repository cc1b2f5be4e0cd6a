"""What no worker can run yet is kept, visible and quiet, until one comes that can."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.app import Stem
from stem.tasks.definition import TaskDefinition
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import FRESH, VERSIONED, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("definition", "reason"), [(FRESH, "unknown task"), (VERSIONED, "newer version")], ids=["unknown", "newer"]
)
async def test_it_waits_for_a_newer_worker(
    definition: TaskDefinition[[], str], reason: str, yard: Yard, stem: Stem, journal: Journal
) -> None:
    old = [yard.start(registry="OLD"), yard.start(registry="OLD")]
    await yard.ready(stem, *old)
    handle = await definition.enqueue(stem)

    async def is_parked() -> bool:
        return (await handle.status()).state is TaskState.PARKED

    await eventually(is_parked, what=f"a parked task: {yard.said()}")
    for _ in range(5):  # the workers go on leasing, again and again, and are not given the parked one
        await (await stem.enqueue_many([WORK.call(0.0)] * 20)).result(timeout=MINUTE)
    record = await stem.inspect.task(handle.id)
    assert (record.state, record.parked_reason) == (TaskState.PARKED, reason)
    assert (record.deliveries, record.attempt, record.crashes) == (1, 0, 0)
    assert journal.started(handle.id) == []

    newer = yard.start()
    assert await handle.result(timeout=MINUTE) == f"2:{newer.pid}"
    assert (await handle.status()).attempt == 0
