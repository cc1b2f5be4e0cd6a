"""A store that goes away, before or after it took the change: nothing is lost, nothing is recorded twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from enum import Enum, auto

import pytest

from stem import TaskContext, task
from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Change, Verdict
from stem.contracts.store import (
    Delivery,
    Keeper,
    LeaseAnswer,
    LeaseRequest,
    LeaseVerdict,
    Renewal,
    Suspect,
    TakeRequest,
)
from stem.errors import StoreUnavailable
from stem.registry import definition
from stem.stores.committer import Committer
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.worker.worker import Worker
from tests.stem.worker import tasks
from tests.stem.worker.support import Workshop, turns


class Away(Enum):
    """When the connection is lost."""

    BEFORE = auto()
    """The store never hears of the call."""
    AFTER = auto()
    """The store does what was asked; only its answer is lost."""


class Unsteady(MemoryStore):
    """A store that every call of a worker fails to reach while it is `away`."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.away: Away | None = None

    def check(self, when: Away) -> None:
        """Raise in the place where the connection is lost."""
        if self.away is when:
            raise StoreUnavailable(expected="an answer", found="none", do="Wait.")

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        self.check(Away.BEFORE)
        verdicts = await super().commit(changes)
        self.check(Away.AFTER)
        return verdicts

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.check(Away.BEFORE)
        answer = await super().lease(request)
        self.check(Away.AFTER)
        return answer

    async def suspects(self) -> tuple[Suspect, ...]:
        self.check(Away.BEFORE)
        found = await super().suspects()
        self.check(Away.AFTER)
        return found

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        self.check(Away.BEFORE)
        taken = await super().take(request)
        self.check(Away.AFTER)
        return taken

    def keeper(self) -> Keeper:
        return _Renewer(self, super().keeper())


class _Renewer:
    def __init__(self, store: Unsteady, keeper: Keeper) -> None:
        self._store = store
        self._keeper = keeper

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        self._store.check(Away.BEFORE)
        verdicts = self._keeper.renew(renewals)
        self._store.check(Away.AFTER)
        return verdicts

    def close(self) -> None:
        self._keeper.close()


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


@pytest.fixture
def store(clock: ManualClock) -> Unsteady:
    return Unsteady(clock)


@pytest.fixture
async def shop(store: Unsteady, clock: ManualClock) -> AsyncIterator[Workshop]:
    commits = Committer(store, clock=clock)
    yield Workshop.over(store, clock, commits)
    store.away = None
    await commits.aclose()


BOTH = pytest.mark.parametrize("away", Away)


async def _leave(worker: Worker, clock: ManualClock) -> None:
    leaving = asyncio.ensure_future(worker.stop())
    while not leaving.done():  # the keeper's thread, for which it waits, sets no event of this loop
        await clock.run_for(0.1)
        await asyncio.sleep(0.001)
    await leaving


@BOTH
async def test_an_outcome_of_an_outage_of_10_seconds_is_recorded_once(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate, away: Away
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    await worker.__aenter__()
    await turns()
    store.away = away
    gate.open()
    await clock.run_for(10)
    store.away = None
    await clock.run_for(20)

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt, record.deliveries) == (TaskState.SUCCEEDED, 0, 1)
    assert gate.entered == 1
    assert worker.stats.of(TaskEvent.SUCCEEDED) == 1
    await _leave(worker, clock)


async def test_an_outcome_that_an_outage_of_40_seconds_kept_away_is_decided_by_another_run(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    await worker.__aenter__()
    await turns()
    store.away = Away.BEFORE
    gate.open()
    await clock.run_for(40)
    assert worker.stats.dropped == 1
    store.away = None
    await clock.run_for(30)

    record = await shop.bench.record(task_id)
    assert (record.state, record.crashes, gate.entered) == (TaskState.SUCCEEDED, 1, 2)
    await _leave(worker, clock)


async def test_an_outcome_whose_answer_was_lost_for_40_seconds_stands_and_is_not_run_again(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    await worker.__aenter__()
    await turns()
    store.away = Away.AFTER
    gate.open()
    await clock.run_for(40)
    store.away = None
    await clock.run_for(30)

    record = await shop.bench.record(task_id)
    assert (record.state, record.deliveries, gate.entered) == (TaskState.SUCCEEDED, 1, 1)
    await _leave(worker, clock)


@BOTH
async def test_a_task_that_runs_through_an_outage_of_40_seconds_runs_once(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate, away: Away
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    workers = [shop.worker(tasks.holds) for _ in range(2)]
    for worker in workers:
        await worker.__aenter__()
    await turns()
    store.away = away
    await clock.run_for(40)
    store.away = None
    await clock.run_for(1)
    await _renewed(store, task_id, clock)
    gate.open()
    await clock.run_for(30)

    record = await shop.bench.record(task_id)
    assert (record.state, record.deliveries, gate.entered) == (TaskState.SUCCEEDED, 1, 1)
    for worker in workers:
        await _leave(worker, clock)


async def _renewed(store: Unsteady, task_id: str, clock: ManualClock) -> None:
    """Return when the keeper's thread, which no test moves, has renewed the lease."""
    while ((await store.get([task_id]))[task_id].lease_until or 0) <= clock.now():  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.001)


@BOTH
async def test_a_lease_call_in_an_outage_leases_each_message_once(
    shop: Workshop, store: Unsteady, clock: ManualClock, away: Away
) -> None:
    worker = shop.worker(tasks.add)
    await worker.__aenter__()
    ids = [await shop.enqueue(definition(tasks.add).call(1, 2)) for _ in range(5)]
    store.away = away
    await clock.run_for(4)
    store.away = None
    await clock.run_for(4)

    records = await store.get(ids)
    assert {record.state for record in records.values()} == {TaskState.SUCCEEDED}
    assert {record.deliveries for record in records.values()} == {1}
    await _leave(worker, clock)


@BOTH
async def test_what_a_task_enqueued_or_left_to_follow_in_an_outage_is_there_once(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate, away: Away
) -> None:
    @task(name="tests.parent")
    async def parent(ctx: TaskContext) -> None:
        ctx.follow_up(definition(tasks.add).call(1, 2))
        await gate.passing()
        await ctx.enqueue(definition(tasks.add).call(3, 4))

    await shop.enqueue(definition(parent).call())
    worker = shop.worker(parent, tasks.add)
    await worker.__aenter__()
    await turns()
    store.away = away
    gate.open()
    await clock.run_for(10)
    store.away = None
    await clock.run_for(10)

    names = await store.task_names()
    assert names == {"tests.add": 2, "tests.parent": 1}
    assert worker.stats.of(TaskEvent.SUCCEEDED) == 3
    await _leave(worker, clock)


@BOTH
async def test_an_outage_while_a_lost_task_is_taken_over_only_delays_it(
    shop: Workshop, store: Unsteady, clock: ManualClock, away: Away
) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await shop.bench.delivery(worker="worker-dead")
    worker = shop.worker(tasks.add)
    await worker.__aenter__()
    await clock.run_for(9)
    store.away = away
    await clock.run_for(10)
    store.away = None
    await clock.run_for(30)

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt) == (TaskState.SUCCEEDED, 0)
    await _leave(worker, clock)


@BOTH
async def test_a_worker_stopped_in_an_outage_loses_nothing(
    shop: Workshop, store: Unsteady, clock: ManualClock, gate: tasks.Gate, away: Away
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    await worker.__aenter__()
    await turns()
    store.away = away
    await _leave(worker, clock)
    store.away = None
    gate.open()
    second = shop.worker(tasks.holds)
    await second.__aenter__()
    await clock.run_for(30)

    record = await shop.bench.record(task_id)
    assert record.state is TaskState.SUCCEEDED
    assert gate.left <= gate.entered == 2
    await _leave(second, clock)
