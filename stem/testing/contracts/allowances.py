"""Words for tests of limits."""

from __future__ import annotations

from stem.clock import Micros
from stem.contracts.changes import Change
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.store import LeaseRequest, Store
from stem.ids import new_id
from stem.tasks.rates import parse_rate
from stem.testing.contracts.build import SECOND, SUCCESS, Bench, publish

__all__ = [
    "NAME",
    "allow",
    "ask_once",
    "limit",
    "limited",
    "occupy",
    "pass_time",
    "publish_many",
    "room",
]

NAME = "tests.task"
"""The name of a task whose envelope says no other."""


def limit(
    rate: str | None = None, concurrency: int | None = None, *, name: str = NAME, shared: str | None = None
) -> TaskLimit:
    """The limit of a name; without both numbers, none."""
    parsed = None if rate is None else parse_rate(rate)
    return TaskLimit(name=name, shared=shared or name, rate=parsed, concurrency=concurrency)


async def allow(
    bench: Bench,
    rate: str | None = None,
    concurrency: int | None = None,
    *,
    name: str = NAME,
    shared: str | None = None,
) -> TaskLimit:
    """Declare one limit."""
    declared = limit(rate, concurrency, name=name, shared=shared)
    await bench.store.declare_limits([declared])
    return declared


async def room(
    bench: Bench, name: str = NAME, *, rate_key: str | None = None, concurrency_key: str | None = None
) -> Room:
    """How the limits of a name stand."""
    return await bench.store.room(name, rate_key=rate_key, concurrency_key=concurrency_key)


async def limited(bench: Bench) -> set[str]:
    """The ids of all that stands aside."""
    return {task_id for task_id, record in (await bench.everything()).items() if record.limited}


async def publish_many(bench: Bench, count: int, *, priority: int = 0, queue: str = "default") -> list[str]:
    """Publish so many in one batch; their ids in order."""
    writes = [publish(priority=priority, queue=queue) for _ in range(count)]
    await bench.store.commit([Change((write,)) for write in writes])
    return [write.envelope.id for write in writes]


async def occupy(bench: Bench, waiting: int = 1) -> tuple[Change, list[str]]:
    """A concurrency of 1 that is used up, and so many that stand aside; the change that ends the holder, their ids."""
    await allow(bench, concurrency=1)
    holder = await bench.running()
    ids = await publish_many(bench, waiting)
    assert await bench.leased_ids(waiting) == []
    return Change((SUCCESS,), holder.fence), ids


async def ask_once(store: Store, limit: int, queue: str = "default") -> list[str]:
    """One lease call by a worker of its own; the ids that it was given."""
    nonce = new_id()
    request = LeaseRequest(request_id=nonce, worker=f"w-{nonce}", fingerprint="f", queues={queue: 1}, limit=limit)
    return [delivery.fence.task_id for delivery in (await store.lease(request)).deliveries]


def pass_time(bench: Bench, micros: Micros) -> None:
    """Let so many microseconds pass."""
    bench.clock.advance(micros / SECOND)
