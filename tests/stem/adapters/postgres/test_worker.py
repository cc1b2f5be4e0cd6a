"""A whole worker on a server that is stopped and started again below it."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import pytest

from stem import Registry, Stem, definition, task
from stem.tasks.state import TaskState
from tests.server_postgres import PostgresServer

TASKS = 120
MINUTE = timedelta(seconds=60)


@task(name="tests.double", max_retries=20)
async def double(number: int) -> int:
    await asyncio.sleep(0.02)
    return 2 * number


DOUBLE = definition(double)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "killed"])
async def test_a_worker_goes_on_when_its_server_is_back_and_every_task_has_its_result(
    how: signal.Signals, own_server: PostgresServer
) -> None:
    async with Stem(own_server.url) as stem:
        batch = await stem.enqueue_many([DOUBLE.call(number) for number in range(TASKS)])
        async with stem.worker(Registry.of(double), concurrency=10):
            first = await DOUBLE.enqueue_and_wait(stem, -1)
            await asyncio.to_thread(own_server.stop, how)
            await asyncio.to_thread(own_server.start)
            results = await batch.result(timeout=MINUTE)
        states = {status.state for status in await batch.status()}
    assert first == -2
    assert results == [2 * number for number in range(TASKS)]
    assert states == {TaskState.SUCCEEDED}
