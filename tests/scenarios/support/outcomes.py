"""What has to hold of every task of a scenario, whoever died in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from tests.scenarios.support.journal import Journal

__all__ = ["assert_each_ended_once", "held_by"]

_MINUTE = timedelta(seconds=60)


async def held_by(worker: str, stem: Stem) -> frozenset[str]:
    """The tasks whose leases a worker holds."""
    running = TaskFilter(states=frozenset({TaskState.RUNNING}), worker=worker)
    return frozenset([record.id async for record in stem.inspect.every_task(running)])


async def assert_each_ended_once(handles: Iterable[TaskHandle[str]], stem: Stem, journal: Journal) -> frozenset[str]:
    """Wait for all results: none is lost, and each was written by the holder of the last lease. The ids."""
    results = dict(await asyncio.gather(*map(_result, handles)))
    records = {record.id: record async for record in stem.inspect.every_task(TaskFilter())}
    assert set(records) == set(results), "nothing is lost, nothing is there twice"
    assert {record.state for record in records.values()} == {TaskState.SUCCEEDED}
    assert {_of_the_last_holder(record, journal) for record in records.values()} == set(results.items())
    return frozenset(results)


def _of_the_last_holder(record: TaskRecord, journal: Journal) -> tuple[str, str]:
    (last,) = [entry for entry in journal.ended(record.id) if entry.fence == record.fence]
    return record.id, f"{last.fence}:{last.pid}"


async def _result(handle: TaskHandle[str]) -> tuple[str, str]:
    return handle.id, await handle.result(timeout=_MINUTE)
