"""Calls that fail, lose their answer or come late, by chance: in the end everything is as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from stem.contracts.changes import APPLIED, Change, OpenGroup, SealGroup
from stem.contracts.groups import GroupRecord
from stem.contracts.queries import QueueCount
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Store
from stem.ids import new_id
from stem.tasks.links import Member
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing import ManualClock
from stem.testing.contracts.build import START, SUCCESS, Bench, publish
from stem.testing.contracts.lineups import of_group
from stem.testing.faults import Faults
from tests.scenarios.support.crashes import STEPS
from tests.scenarios.support.crashes.order import joined, open_all
from tests.scenarios.support.places import Fresh
from tests.scenarios.support.stubborn import Stubborn

SERVER = pytest.mark.server
SEEDS = range(4)
ENGINES = [
    pytest.param("memory"),
    pytest.param("sqlite"),
    pytest.param("sqlite sqlite", id="split"),
    pytest.param("redis", marks=SERVER),
    pytest.param("postgres", marks=SERVER),
]
MEMBERS = [f"member-{place}" for place in range(40)]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a flow can have left in a store."""

    records: Mapping[str, TaskRecord]
    queues: tuple[QueueCount, ...]
    group: GroupRecord | None
    schedule: ScheduleRecord | None


@asynccontextmanager
async def opened(urls: tuple[str, ...]) -> AsyncGenerator[Bench]:
    clock = ManualClock()
    store = joined(await open_all(urls, new_id(), clock))
    try:
        yield Bench(store, clock)
    finally:
        await store.aclose()


async def state_of(bench: Bench) -> State:
    store = bench.store
    return State(
        await bench.everything(), await store.queues(), await store.group("group"), await store.schedule("daily")
    )


def under(faults: Faults, bench: Bench) -> Bench:
    """The same store for one who meets the faults, and gives up at none."""
    return Bench(Stubborn(faults.around(bench.store)), bench.clock)


async def outcome(flow: str, urls: tuple[str, ...], faults: Faults) -> State:
    async with opened(urls) as bench:
        await STEPS[flow].prepare(bench)
        await STEPS[flow].act(under(faults, bench), lambda verb, what: None)
        return await state_of(bench)


@pytest.mark.parametrize("engines", ENGINES)
@pytest.mark.parametrize("flow", STEPS)
async def test_under_faults_a_flow_ends_as_without_them(flow: str, fresh: Fresh) -> None:
    expected = await outcome(flow, fresh(), Faults())
    tried = [Faults.from_seed(seed, fail=0.3, drop=0.4) for seed in SEEDS]
    for faults in tried:
        assert await outcome(flow, fresh(), faults) == expected, faults
    assert any(faults.record for faults in tried)


@pytest.mark.parametrize("engines", ENGINES)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_crowd_under_faults_does_everything_once(seed: int, fresh: Fresh) -> None:
    faults = Faults.from_seed(seed, fail=0.1, drop=0.1, delay=0.2)
    async with opened(fresh()) as bench:
        store = under(faults, bench).store
        await asyncio.gather(*(produce(store, task) for task in MEMBERS), produce_group(store))
        done = await asyncio.gather(*(work(Bench(store, bench.clock), f"worker-{number}") for number in range(4)))
        records = await bench.everything()
        group = await bench.store.group("group")
    ran = [task for tasks in done for task in tasks]
    assert sorted(ran) == sorted(records) == sorted([*MEMBERS, *(f"{task}-alone" for task in MEMBERS), "body"])
    assert {(record.state, record.attempt, record.deliveries) for record in records.values()} == {
        (TaskState.SUCCEEDED, 0, 1)
    }
    assert group is not None
    assert group.succeeded == len(MEMBERS)
    assert faults.record


async def produce(store: Store, task: str) -> None:
    assert await store.commit([Change((publish(id=f"{task}-alone"),))]) == [APPLIED]


async def produce_group(store: Store) -> None:
    """A group in one change; its continuation runs when all of it has."""
    members = [publish(id=task, member=Member("group", place)) for place, task in enumerate(MEMBERS)]
    body = publish(id="body", after=of_group("group"))
    opening = OpenGroup(group="group", size=len(MEMBERS))
    assert await store.commit([Change((opening, *members, body, SealGroup("group")))]) == [APPLIED]


async def work(bench: Bench, worker: str) -> list[str]:
    """Run what there is until all has ended; what this worker ran."""
    done: list[str] = []
    while not all(record.state.is_terminal for record in (await bench.everything()).values()):
        for delivery in (await bench.lease(3, worker=worker)).deliveries:
            await asyncio.gather(
                bench.store.commit([Change((START,), delivery.fence)]),
                bench.store.commit([Change((SUCCESS,), delivery.fence)]),
            )
            done.append(delivery.fence.task_id)
    return done
