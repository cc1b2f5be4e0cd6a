"""The same program means the same on memory and on SQLite: random steps on both, and every record compared."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import cast

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Fence,
    Park,
    Publish,
    Release,
    Replay,
    Report,
    Reschedule,
    Settle,
    UniqueKey,
    Write,
)
from stem.contracts.limits import Limits, Room, TaskLimit
from stem.contracts.queries import TaskFilter
from stem.contracts.store import LeaseRequest, LeaseVerdict, Renewal, Store, TakeRequest
from stem.stores.open import open_store
from stem.tasks.rates import parse_rate
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure, Progress, TaskRecord
from stem.testing.clock import ManualClock
from stem.testing.contracts import publish
from stem.testing.contracts.build import START

ERROR = Failure("ValueError", "no\0way", "Traceback ...")
SECOND = 1_000_000
LONG = 1_000_000 * SECOND
"""A pause that does not end here."""
LIMITS = [(None, None), ("1/m", None), ("120/m", None), (None, 1), (None, 2), ("30/m", 2)]
COMPARED = tuple(field.name for field in fields(TaskRecord) if field.name != "limited")
"""How far an engine looks ahead, and so what stands aside already, is its own choice."""
NAMES = ("tests.x", "tests.y", "tests.old")
KEYS = [(None, None), ("r", None), (None, "c"), ("r", "c")]
ENDS = (TaskEvent.SUCCEEDED, TaskEvent.FAILED, TaskEvent.CANCELLED, TaskEvent.EXPIRED)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[ManualClock, list[Store]]]:
    clock = ManualClock()
    urls = ("memory://", f"sqlite:///{tmp_path}/stem.db")
    opened = [await open_store(url, StoreOptions(clock=clock)) for url in urls]
    yield clock, opened
    for store in opened:
        await store.aclose()


class Walk:
    """Random steps, the same for every store; with `limits` declared among them, for stores that have any."""

    def __init__(self, seed: int, *, limits: bool = False) -> None:
        self.limits = limits
        self.random = random.Random(seed)
        self.ids: list[str] = []
        self.fences: list[Fence] = []
        self.number = 0

    def next_name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}-{self.number}"

    def publish(self) -> Publish:
        chance = self.random
        task = chance.choice(self.ids) if self.ids and chance.random() < 0.1 else self.next_name("task")
        unique = None
        if chance.random() < 0.3:
            unique = UniqueKey(f"key-{chance.randrange(3)}", chance.choice([None, None, 5 * SECOND]))
        self.ids.append(task)
        rate_key, concurrency_key = chance.choice(KEYS) if self.limits else (None, None)
        return publish(
            id=task,
            name=chance.choice(NAMES),
            rate_key=rate_key,
            concurrency_key=concurrency_key,
            queue=chance.choice(["a", "b"]),
            priority=chance.randrange(3),
            delay=chance.choice([0, 0, 3 * SECOND]),
            expires=chance.choice([None, 8 * SECOND]),
            result_ttl=chance.choice([0, 40 * SECOND]),
            ignore_result=chance.random() < 0.2,
            unique=unique,
        )

    def change(self) -> Change:
        chance = self.random
        if chance.random() < 0.35 or not self.ids:
            return Change(tuple(self.publish() for _ in range(chance.choice([1, 1, 1, 2]))))
        if chance.random() < 0.2 or not self.fences:
            task = chance.choice([*self.ids, "nobody"])
            free: list[Write] = [Cancel(task), Cancel(task, terminate=True), Replay(task), Replay(task)]
            return Change((chance.choice(free),))
        follow_ups = tuple(self.publish() for _ in range(chance.choice([0, 0, 0, 1])))
        number = chance.choice([1, 1, 1, 2])
        return Change((self.fenced(), *follow_ups), chance.choice(self.fences[-20:]), number)

    def limit(self) -> TaskLimit:
        name = self.random.choice(NAMES)
        rate, concurrency = self.random.choice(LIMITS)
        shared = self.random.choice(["tests.x", name]) if name == "tests.old" else name
        parsed = None if rate is None else parse_rate(rate)
        return TaskLimit(name=name, shared=shared, rate=parsed, concurrency=concurrency)

    def fenced(self) -> Write:
        chance = self.random
        writes: list[Write] = [
            START,
            Settle(chance.choice(ENDS), result=chance.choice([None, b"", b"\xff\x00"])),
            Settle(TaskEvent.FAILED, error=ERROR),
            Reschedule(chance.choice([0, 2 * SECOND]), ERROR),
            Release(chance.choice([0, 2 * SECOND])),
            Bury("crashed", chance.choice([None, ERROR])),
            Park("unknown task", chance.choice(["f1", "f2"]), chance.choice([0, LONG])),
            Report(Progress(chance.randrange(5), 1.5, data='{"a": 1}')),
        ]
        return chance.choice(writes)


async def step(walk: Walk, clock: ManualClock, stores: list[Store]) -> list[object]:
    """Do the same on each store; what each answered."""
    kinds = {"commit": 8, "lease": 6, "time": 3, "renew": 1, "take": 2, "retain": 1, "declare": int(walk.limits)}
    kind = walk.random.choices(list(kinds), list(kinds.values()))[0]
    if kind == "commit":
        batch = [walk.change() for _ in range(walk.random.choice([1, 2, 5]))]
        return [await store.commit(batch) for store in stores]
    if kind == "lease":
        request = LeaseRequest(
            request_id=walk.next_name("lease"),
            worker=walk.random.choice(["w1", "w2"]),
            fingerprint=walk.random.choice(["f1", "f2"]),
            queues=walk.random.choice([{"a": 1}, {"b": 1}, {"a": 3, "b": 1}]),
            limit=walk.random.choice([1, 3]),
            started=walk.random.choice([0, 1, 3]),
            lease=6 * SECOND,
        )
        answers = [await store.lease(request) for store in stores]
        walk.fences += [delivery.fence for delivery in answers[0].deliveries]
        return [(sorted(a.deliveries, key=lambda d: d.fence.task_id), a.next_due) for a in answers]
    if kind == "renew":
        renewals = [Renewal(fence, 6 * SECOND) for fence in walk.fences[-5:]]
        return [_renewed(store, renewals) for store in stores]
    if kind == "take":
        suspects = [await store.suspects() for store in stores]
        ordered = tuple(sorted(suspects[0], key=lambda s: s.fence.task_id))
        takeover = TakeRequest(request_id=walk.next_name("take"), worker="w3", suspects=ordered)
        taken = [await store.take(takeover) for store in stores]
        walk.fences += [delivery.fence for delivery in taken[0]]
        return [(set(found), list(deliveries)) for found, deliveries in zip(suspects, taken, strict=True)]
    if kind == "retain":
        return [await store.retain(1_000) for store in stores]
    if kind == "declare":
        limit = walk.limit()
        return [await declare(limits, limit) for limits in cast("list[Limits]", stores)]
    clock.advance(walk.random.choice([0.5, 2, 7, 100]))
    return [None for _ in stores]


def _renewed(store: Store, renewals: list[Renewal]) -> list[LeaseVerdict]:
    with closing(store.keeper()) as keeper:
        return keeper.renew(renewals)


async def declare(limits: Limits, limit: TaskLimit) -> tuple[TaskLimit, ...]:
    await limits.declare_limits([limit])
    return await limits.limits()


def comparable(verdicts: object) -> object:
    """Verdicts by their kind and code; the words of a refusal are the engine's own."""
    if not isinstance(verdicts, list):
        return verdicts
    items = cast("list[object]", verdicts)
    return [(type(item).__name__, getattr(item, "code", None), getattr(item, "holder", None)) for item in items]


async def all_records(store: Store) -> dict[str, TaskRecord]:
    return {record.id: record for record in (await store.list_tasks(TaskFilter(), limit=10_000)).records}


async def all_rooms(limits: Limits) -> list[Room]:
    """How every limit stands."""
    return [await limits.room(name, rate_key=rate, concurrency_key=other) for name in NAMES for rate, other in KEYS]


def differences(sqlite: dict[str, TaskRecord], memory: dict[str, TaskRecord]) -> list[str]:
    """Which field of which record is another one, in few enough words for a report."""
    apart = [f"only in one: {task}" for task in sorted(sqlite.keys() ^ memory.keys())]
    for task in sorted(sqlite.keys() & memory.keys()):
        pairs = ((name, getattr(sqlite[task], name), getattr(memory[task], name)) for name in COMPARED)
        apart += [f"{task}.{name}: {a!r} on SQLite, {b!r} in memory" for name, a, b in pairs if a != b]
    return apart


@pytest.mark.parametrize("seed", range(6))
async def test_random_steps_have_the_same_answers_and_leave_the_same_records(
    stores: tuple[ManualClock, list[Store]], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    clock, both = stores
    monkeypatch.setattr("tests.stem.adapters.sqlite.test_parity.LONG", LONG if seed % 2 else 4 * SECOND)
    walk = Walk(seed, limits=True)
    for _ in range(150):
        first, second = await step(walk, clock, both)
        assert comparable(second) == comparable(first)
        memory, sqlite = [await all_records(store) for store in both]
        assert differences(sqlite, memory) == []
        ids = list(memory)
        assert await both[1].results(ids) == await both[0].results(ids)
        first, second = [await all_rooms(limits) for limits in cast("list[Limits]", both)]
        assert second == first
    assert await both[1].queues() == await both[0].queues()
