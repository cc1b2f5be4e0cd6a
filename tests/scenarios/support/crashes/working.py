"""The flow of a whole program: a producer and a worker, as users have them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from stem.app import Stem
from stem.errors import TaskFailed
from stem.registry import Registry, definition
from stem.tasks.context import TaskContext
from stem.tasks.handle import TaskHandle
from stem.tasks.markers import task
from stem.tasks.retry import Retry
from stem.tasks.state import TaskState
from stem.testing.contracts.build import Bench
from tests.scenarios.support.crashes.flow import Aftermath, Flow, Tell

__all__ = ["Working"]

AT_ONCE = Retry(initial=timedelta(0), max_delay=timedelta(0))


@task(name="crashes.plain")
async def plain() -> int:
    """Succeeds."""
    return 1


@task(name="crashes.flaky", retry=AT_ONCE)
async def flaky(ctx: TaskContext) -> int:
    """Fails the first time."""
    if ctx.attempt == 0:
        raise ConnectionError("not yet")
    return ctx.attempt


@task(name="crashes.hopeless", max_retries=0)
async def hopeless() -> None:
    """Is buried."""
    raise ValueError("never")


@task(name="crashes.parent")
async def parent(ctx: TaskContext) -> str:
    """Publishes another one with its end."""
    return ctx.follow_up(definition(plain).options(task_id="child").call())


CALLS = (
    definition(plain).options(task_id="plain").call(),
    definition(flaky).options(task_id="flaky").call(),
    definition(hopeless).options(task_id="hopeless").call(),
    definition(parent).options(task_id="parent").call(),
)
REGISTRY = Registry.of(plain, flaky, hopeless, parent)


class Working(Flow):
    """Enqueues four tasks and runs them. No time passes, so that only news make the worker move."""

    async def act(self, bench: Bench, tell: Tell) -> None:
        async with Stem("memory://", clock=bench.clock, wrap=lambda _: bench.store) as stem:
            handles = [await stem.enqueue(call) for call in CALLS]
            for handle in handles:
                tell("published", handle.id)
            async with stem.worker(REGISTRY, concurrency=2, name="worker-1"):
                await asyncio.gather(*(_ended(handle, tell) for handle in handles))
                await _ended(stem.handle("child"), tell)

    async def audit(self, after: Aftermath) -> None:
        record = after.records.get("parent")
        ran_here = record is not None and "parent" not in after.ran
        assert ("child" in after.records) == ran_here
        failed = {task for task, record in after.records.items() if record.state is not TaskState.SUCCEEDED}
        assert failed <= {"hopeless"}


async def _ended(handle: TaskHandle[object], tell: Tell) -> None:
    try:
        await handle.result()
    except TaskFailed:
        tell("said", f"{handle.id} failed")
    tell("ended", handle.id)
