"""A task that is enqueued once runs once on every worker that lives, on every engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from stem import BroadcastError, Registry, Stem, TaskContext, definition, task
from stem.contracts.queries import TaskFilter
from stem.ids import new_id
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import STEPS
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.places import Fresh
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)
SERVED = {"a": ("caches",), "b": ("default", "caches"), "c": ("default",)}


@task(name="caches.reload", queue="caches", broadcast=True)
async def reload(ctx: TaskContext, region: str) -> str:
    """Says who it is."""
    return f"{ctx.worker} {region}"


RELOAD = definition(reload)


def client(urls: tuple[str, ...], namespace: str) -> Stem:
    """A client of one store, or of a split one."""
    if len(urls) == 1:
        return Stem(urls[0], namespace=namespace)
    broker, results = urls
    return Stem(broker=broker, results=results, namespace=namespace)


@pytest.fixture
async def crew(fresh: Fresh) -> AsyncIterator[Stem]:
    """A client, and three workers on clients of their own (on memory, of this one)."""
    urls, namespace = fresh(), new_id()
    async with AsyncExitStack() as stack:
        stem = await stack.enter_async_context(client(urls, namespace))
        for name, queues in SERVED.items():
            own = stem
            if "memory://" not in urls:
                own = await stack.enter_async_context(client(urls, namespace))
            await stack.enter_async_context(own.worker(Registry.of(reload), name=name, queues=queues))
        yield stem


@pytest.mark.parametrize(
    "engines",
    [
        "memory",
        "sqlite",
        pytest.param("redis", marks=pytest.mark.server),
        pytest.param("postgres", marks=pytest.mark.server),
        "memory sqlite",
        pytest.param("redis postgres", marks=pytest.mark.server),
    ],
)
async def test_every_worker_of_the_queue_runs_its_copy_once(crew: Stem) -> None:
    handle = await RELOAD.enqueue(crew, "north")
    copies = await handle.copies(timeout=MINUTE)
    assert await copies.result(timeout=MINUTE) == {"a": "a north", "b": "b north"}
    with pytest.raises(BroadcastError, match="2 workers"):
        await handle.result(timeout=MINUTE)
    found = [record async for record in crew.inspect.every_task(TaskFilter(root=handle.id))]
    assert {record.queue: record.deliveries for record in found if record.id != handle.id} == {
        "worker:a": 1,
        "worker:b": 1,
    }
    assert (await handle.status()).state is TaskState.SUCCEEDED


async def test_a_killed_worker_ends_no_copy_twice_and_leaves_none_behind(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    workers = [yard.start_rigged("--beat", "0.5") for _ in range(3)]
    await yard.ready(stem, *workers)
    handle = await STEPS.options(broadcast=True).enqueue(stem)
    await eventually(lambda: len(journal.started()) == 3, what=f"three starts: {yard.said()}")
    victim = workers.pop()
    victim.kill()
    yard.open_gate()
    copies = await handle.copies()
    with pytest.raises(BroadcastError):
        await handle.result(timeout=MINUTE)
    ended = {worker: status.state for worker, status in (await copies.status()).items()}
    assert ended == {
        **dict.fromkeys((worker.name for worker in workers), TaskState.SUCCEEDED),
        victim.name: TaskState.CANCELLED,
    }
    starts = {copies[worker.name].id: worker.pid for worker in (*workers, victim)}
    assert {entry.task_id: entry.pid for entry in journal.started()} == starts
    assert len(journal.started()) == 3
    assert os.getpid() not in starts.values()
