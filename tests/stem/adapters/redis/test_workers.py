"""Whole workers in processes of their own, over one server: killed, and cut off from it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from stem import Registry, Stem, definition, task
from stem.contracts.queries import TaskFilter
from stem.tasks.state import TaskState
from tests.servers import RedisServer

pytestmark = pytest.mark.slow
TASKS = 300


@task(max_retries=3)
async def double(number: int) -> int:
    await asyncio.sleep(0.02)
    return 2 * number


DOUBLE = definition(double)


async def work(url: str) -> None:
    async with Stem(url) as stem, stem.worker(Registry.of(double), concurrency=10):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


@contextmanager
def worker(url: str) -> Generator[subprocess.Popen[str]]:
    """A worker process that is up; it does not outlive the block."""
    code = f"import asyncio; from {__name__} import work; asyncio.run(work({url!r}))"
    root = Path(__file__).parents[4]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


async def _outcomes(stem: Stem) -> dict[str, TaskState]:
    return {record.id: record.state async for record in stem.inspect.every_task(TaskFilter())}


async def test_every_task_of_a_killed_worker_is_done_by_another(own: RedisServer) -> None:
    own.start()
    async with Stem(own.url) as stem:
        handles = [await DOUBLE.enqueue(stem, number) for number in range(TASKS)]
        with worker(own.url) as first:
            await handles[20].result(timeout=timedelta(seconds=20))
            first.kill()
        assert TaskState.RUNNING in (await _outcomes(stem)).values()
        with worker(own.url):
            results = [await handle.result(timeout=timedelta(seconds=40)) for handle in handles]
        assert results == [2 * number for number in range(TASKS)]
        assert set((await _outcomes(stem)).values()) == {TaskState.SUCCEEDED}


async def test_workers_and_clients_go_on_when_the_server_is_killed_and_comes_back(own: RedisServer) -> None:
    own.start()
    async with Stem(own.url) as stem:
        with worker(own.url), worker(own.url):
            handles = [await DOUBLE.enqueue(stem, number) for number in range(TASKS)]
            await handles[20].result(timeout=timedelta(seconds=20))
            await asyncio.to_thread(own.kill)
            late = asyncio.ensure_future(DOUBLE.enqueue(stem, TASKS))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(own.start)
            async with asyncio.timeout(5):
                handles.append(await late)
            results = [await handle.result(timeout=timedelta(seconds=40)) for handle in handles]
        assert results == [2 * number for number in range(TASKS + 1)]
        assert set((await _outcomes(stem)).values()) == {TaskState.SUCCEEDED}
