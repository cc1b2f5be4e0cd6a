"""A batch is a sequence of handles with the two questions that one asks of all of them."""

from __future__ import annotations

import asyncio

import pytest

from stem.app import Stem
from stem.errors import TaskFailed
from stem.tasks.state import TaskState
from stem.testing.contracts.build import Bench
from tests.stem.client.support import bury, charge, succeed


async def test_the_results_are_in_the_order_of_the_calls(stem: Stem, bench: Bench) -> None:
    batch = await stem.enqueue_many([charge.call(number) for number in range(3)])
    waiting = asyncio.create_task(batch.result())
    for number in range(3):
        await succeed(bench, f'"{number}"'.encode())
    assert await waiting == ["0", "1", "2"]


async def test_the_statuses_are_in_the_order_of_the_calls(stem: Stem, bench: Bench) -> None:
    batch = await stem.enqueue_many([charge.call(number) for number in range(3)])
    await succeed(bench)
    states = [status.state for status in await batch.status()]
    assert states == [TaskState.SUCCEEDED, TaskState.QUEUED, TaskState.QUEUED]


async def test_one_task_without_a_result_is_the_error_of_all(stem: Stem, bench: Bench) -> None:
    batch = await stem.enqueue_many([charge.call(1), charge.call(2)])
    await succeed(bench)
    await bury(bench)
    with pytest.raises(TaskFailed):
        await batch.result()
    assert await batch[0].result() == "paid"


async def test_it_is_a_sequence(stem: Stem) -> None:
    batch = await stem.enqueue_many([charge.call(number) for number in range(3)])
    assert len(batch) == 3
    assert batch[-1] in batch
    assert [handle.id for handle in batch[1:]] == [batch[1].id, batch[2].id]
    assert "3 tasks" in repr(batch)
