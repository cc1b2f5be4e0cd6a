"""Broadcasts: who gets a copy, how long the announcement stays with them, and what ends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest

from stem import Retry, TaskContext, task
from stem.adapters.memory import MemoryStore
from stem.client.copies import wait_for_copies
from stem.contracts.changes import Cancel, Replay
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.errors import StoreUnavailable
from stem.registry import definition
from stem.stores.copies import copies_of
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing import ManualClock
from stem.worker.herald import is_gone, look_pause, may_come_back, served_by
from stem.worker.settings import WorkerSettings
from stem.worker.worker import Worker
from tests.stem.worker.support import SECOND, Workshop

RAN: list[tuple[str, int]] = []


@task(name="tests.everywhere", broadcast=True, retry=Retry(initial=timedelta(0), max_delay=timedelta(0)))
async def everywhere(ctx: TaskContext, fails: int = 0) -> str:
    """Tells where it ran; the first so many attempts fail."""
    RAN.append((ctx.worker, ctx.attempt))
    if ctx.attempt < fails:
        raise ConnectionError("not yet")
    return ctx.worker


EVERYWHERE = definition(everywhere)


@pytest.fixture(autouse=True)
def ran() -> list[tuple[str, int]]:
    RAN.clear()
    return RAN


def heartbeat(worker: str, *queues: str) -> Heartbeat:
    return Heartbeat(
        worker=worker,
        host="host-1",
        pid=7,
        fingerprint="registry-1",
        queues=queues or ("default",),
        concurrency=4,
        running=0,
        every=5 * SECOND,
    )


def seen(worker: str, *queues: str, late: bool = False) -> WorkerRecord:
    return WorkerRecord(heartbeat=heartbeat(worker, *queues), first_seen=0, last_seen=0, late=late)


def working(shop: Workshop, name: str = "a", *, concurrency: int = 10) -> Worker:
    return shop.worker(everywhere, settings=WorkerSettings(name=name, concurrency=concurrency))


async def copies(shop: Workshop, task_id: str) -> dict[str, TaskRecord]:
    return await copies_of(shop.store, task_id, (await shop.bench.record(task_id)).generation)


async def states(shop: Workshop, task_id: str) -> dict[str, TaskState]:
    return {worker: copy.state for worker, copy in (await copies(shop, task_id)).items()}


@pytest.fixture
async def worker(shop: Workshop) -> AsyncIterator[Worker]:
    """A worker `a`; another one, `b`, is only a sign of life, and the test plays what it does."""
    await shop.store.beat(heartbeat("b"))
    async with working(shop) as worker:
        yield worker


class Outage:
    """While it lasts, the store hears no sign of life and answers no sweep; leases it gives."""

    def __init__(self, store: MemoryStore, patch: pytest.MonkeyPatch) -> None:
        self.lasts = False
        for name in ("suspects", "beat"):
            patch.setattr(store, name, partial(self._call, getattr(store, name)))

    async def _call(self, call: Callable[..., Awaitable[object]], *arguments: object) -> object:
        if self.lasts:
            raise StoreUnavailable(expected="an answer", found="none", do="Wait.")
        return await call(*arguments)


def test_a_copy_is_for_whoever_lives_and_serves_the_queue() -> None:
    workers = [seen("a", "caches"), seen("b", "default", "caches"), seen("c"), seen("d", "caches", late=True)]
    assert served_by(workers, "caches") == ["a", "b"]


def test_a_worker_is_gone_when_it_has_signed_off_or_is_late_while_the_store_answers() -> None:
    assert not is_gone(None, 14 * SECOND)
    assert is_gone(None, 15 * SECOND)
    assert not is_gone(seen("a"), 60 * SECOND)
    assert not is_gone(seen("a", late=True), 14 * SECOND)
    assert is_gone(seen("a", late=True), 15 * SECOND)


def test_a_worker_may_come_back_that_is_late_and_could_not_be_heard() -> None:
    late = [seen("a"), seen("b", "caches", late=True)]
    assert may_come_back(late, "caches", 14 * SECOND)
    assert not may_come_back(late, "caches", 15 * SECOND)
    assert not may_come_back(late, "default", 0)


def test_the_copies_are_looked_at_after_a_second_and_then_more_and_more_seldom() -> None:
    assert [look_pause(deliveries) // SECOND for deliveries in (1, 2, 3, 4, 5, 99)] == [1, 2, 4, 5, 5, 5]


async def test_it_ends_when_every_copy_has_and_says_where_they_were(
    shop: Workshop, clock: ManualClock, worker: Worker
) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(3)
    assert await states(shop, task_id) == {"a": TaskState.SUCCEEDED, "b": TaskState.QUEUED}
    assert await shop.bench.state(task_id) is TaskState.QUEUED
    await shop.bench.finish(queues={"worker:b": 1})
    await shop.store.beat(heartbeat("b"))
    await clock.run_for(5)
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
    assert RAN == [("a", 0)]


async def test_a_worker_that_starts_a_moment_later_gets_no_copy(
    shop: Workshop, clock: ManualClock, worker: Worker
) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(0.1)
    async with working(shop, "late"):
        await clock.run_for(4)
        assert set(await copies(shop, task_id)) == {"a", "b"}
    assert RAN == [("a", 0)]


async def test_a_worker_that_comes_back_under_its_name_runs_what_it_has_not_run(
    shop: Workshop, clock: ManualClock, worker: Worker
) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(0.1)
    async with working(shop, "b"):
        await clock.run_for(5)
    assert set(RAN) == {("a", 0), ("b", 0)}
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_the_copy_of_a_worker_that_was_signed_off_is_cancelled(
    shop: Workshop, clock: ManualClock, worker: Worker
) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(0.1)
    await shop.store.retire("b")
    await clock.run_for(30)
    assert await states(shop, task_id) == {"a": TaskState.SUCCEEDED, "b": TaskState.CANCELLED}
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_the_copy_of_a_silent_worker_is_cancelled_after_three_missed_beats(
    shop: Workshop, clock: ManualClock, worker: Worker
) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(14)
    assert (await states(shop, task_id))["b"] is TaskState.QUEUED
    await clock.run_for(13)
    assert (await states(shop, task_id))["b"] is TaskState.CANCELLED
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_when_all_workers_were_gone_for_a_day_the_next_one_clears_up(shop: Workshop, clock: ManualClock) -> None:
    await shop.store.beat(heartbeat("b"))
    async with working(shop):
        task_id = await shop.enqueue(EVERYWHERE.call())
        await clock.run_for(0.1)
    clock.advance(86_400)
    async with working(shop, "new"):
        await clock.run_for(30)
    assert await states(shop, task_id) == {"a": TaskState.SUCCEEDED, "b": TaskState.CANCELLED}
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_after_an_outage_nobody_is_taken_for_gone_before_he_could_be_heard(
    shop: Workshop, clock: ManualClock, worker: Worker, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(store, monkeypatch)
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(0.1)
    outage.lasts = True
    await clock.run_for(120)
    outage.lasts = False
    looks = (await shop.bench.record(task_id)).deliveries
    await clock.run_for(8)
    assert (await shop.bench.record(task_id)).deliveries > looks > 10
    assert (await states(shop, task_id))["b"] is TaskState.QUEUED
    await clock.run_for(20)
    assert (await states(shop, task_id))["b"] is TaskState.CANCELLED


async def test_what_is_due_after_an_outage_waits_until_all_could_be_heard(
    shop: Workshop, clock: ManualClock, worker: Worker, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(store, monkeypatch)
    outage.lasts = True
    await clock.run_for(60)
    outage.lasts = False
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(3)
    assert await copies(shop, task_id) == {}
    await store.beat(heartbeat("b"))
    await clock.run_for(3)
    assert set(await copies(shop, task_id)) == {"a", "b"}


async def test_it_is_not_handed_out_again_when_its_copies_were_forgotten_in_a_long_pause(
    shop: Workshop, clock: ManualClock, store: MemoryStore
) -> None:
    async with working(shop):
        task_id = await shop.enqueue(EVERYWHERE.options(result_ttl=timedelta(seconds=60)).call())
        await clock.run_for(0.5)
        await store.pause("default")
        await clock.run_for(600)
        assert list(await shop.bench.everything()) == [task_id]
        await store.resume("default")
        await clock.run_for(1)
    assert (await shop.bench.state(task_id), RAN) == (TaskState.SUCCEEDED, [("a", 0)])
    assert await wait_for_copies(store, task_id, None, clock=clock) == {}


async def test_it_tells_how_many_copies_have_ended(shop: Workshop, clock: ManualClock, worker: Worker) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call())
    await clock.run_for(0.1)
    assert _told(await shop.bench.record(task_id)) == (0, 2)
    await clock.run_for(1)
    assert _told(await shop.bench.record(task_id)) == (1, 2)


def _told(record: TaskRecord) -> tuple[float, float | None] | None:
    return None if record.progress is None else (record.progress.done, record.progress.total)


async def test_each_copy_is_retried_on_its_own_worker(shop: Workshop, clock: ManualClock, worker: Worker) -> None:
    task_id = await shop.enqueue(EVERYWHERE.call(fails=2))
    await clock.run_for(1)
    assert RAN == [("a", 0), ("a", 1), ("a", 2)]
    assert (await copies(shop, task_id))["a"].attempt == 2


async def test_a_busy_worker_of_one_place_runs_its_copy_before_what_waits_in_its_queues(
    shop: Workshop, clock: ManualClock
) -> None:
    order: list[str] = []

    @task(name="tests.ordinary")
    async def ordinary(ctx: TaskContext, number: int) -> None:
        order.append(f"{number}")
        if number == 3:
            await shop.enqueue(EVERYWHERE.options(priority=9).call())

    ids = [await shop.enqueue(definition(ordinary).call(number)) for number in range(40)]
    settings = WorkerSettings(name="a", concurrency=1)
    async with shop.worker(ordinary, everywhere, settings=settings):
        await clock.run_for(10)
    assert {await shop.bench.state(task_id) for task_id in ids} == {TaskState.SUCCEEDED}
    assert RAN == [("a", 0)]


class TestTimes:
    async def test_it_is_handed_out_to_those_who_live_when_it_is_due(
        self, shop: Workshop, clock: ManualClock, worker: Worker
    ) -> None:
        task_id = await shop.enqueue(EVERYWHERE.options(delay=timedelta(seconds=10)).call())
        await clock.run_for(9)
        assert await copies(shop, task_id) == {}
        await shop.store.beat(heartbeat("c"))
        await shop.store.retire("b")
        await clock.run_for(2)
        assert set(await copies(shop, task_id)) == {"a", "c"}

    async def test_without_a_worker_it_waits_for_one(self, shop: Workshop, clock: ManualClock) -> None:
        task_id = await shop.enqueue(EVERYWHERE.call())
        clock.advance(600)
        async with working(shop):
            await clock.run_for(3)
        assert (await shop.bench.state(task_id), RAN) == (TaskState.SUCCEEDED, [("a", 0)])

    async def test_what_nobody_handed_out_in_time_expires(self, shop: Workshop, clock: ManualClock) -> None:
        task_id = await shop.enqueue(EVERYWHERE.options(expires=timedelta(seconds=5)).call())
        clock.advance(6)
        async with working(shop):
            await clock.run_for(1)
        assert (await shop.bench.state(task_id), RAN) == (TaskState.EXPIRED, [])

    async def test_copies_expire_when_their_broadcast_would_have_and_it_stays_with_them(
        self, shop: Workshop, clock: ManualClock, worker: Worker
    ) -> None:
        task_id = await shop.enqueue(
            EVERYWHERE.options(expires=timedelta(seconds=8), delay=timedelta(seconds=3)).call()
        )
        end = (await shop.bench.record(task_id)).expires_at
        await clock.run_for(4)
        assert (await copies(shop, task_id))["b"].expires_at == end
        await shop.store.beat(heartbeat("b"))
        await clock.run_for(8)
        assert await shop.bench.state(task_id) is TaskState.QUEUED
        assert (await shop.bench.delivery(queues={"worker:b": 1})).expired


class TestEnds:
    async def test_cancelled_before_it_is_handed_out_nobody_runs_it(self, shop: Workshop, clock: ManualClock) -> None:
        task_id = await shop.enqueue(EVERYWHERE.call())
        await shop.bench.apply(Cancel(task_id))
        async with working(shop):
            await clock.run_for(3)
        assert (await copies(shop, task_id), RAN) == ({}, [])

    async def test_asked_to_end_while_it_is_handed_out_it_takes_its_copies_along(
        self, shop: Workshop, clock: ManualClock, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await shop.store.beat(heartbeat("b"))
        task_id = await shop.enqueue(EVERYWHERE.call())
        list_workers = store.workers

        async def cancelled_meanwhile() -> tuple[WorkerRecord, ...]:
            await shop.bench.apply(Cancel(task_id))
            return await list_workers()

        monkeypatch.setattr(store, "workers", cancelled_meanwhile)
        async with working(shop):
            await clock.run_for(3)
        assert await shop.bench.state(task_id) is TaskState.CANCELLED
        assert (await states(shop, task_id))["b"] is TaskState.CANCELLED

    async def test_a_broadcast_that_was_cancelled_and_replayed_is_handed_out_anew(
        self, shop: Workshop, clock: ManualClock, worker: Worker
    ) -> None:
        task_id = await shop.enqueue(EVERYWHERE.options(delay=timedelta(seconds=1)).call())
        await shop.bench.apply(Cancel(task_id))
        await shop.bench.apply(Replay(task_id))
        await clock.run_for(1)
        assert await states(shop, task_id) == {"a": TaskState.SUCCEEDED, "b": TaskState.QUEUED}

    async def test_an_announcement_that_carries_no_task_is_a_dead_letter(
        self, shop: Workshop, clock: ManualClock, worker: Worker
    ) -> None:
        task_id = await shop.bench.put(name="broadcast:tests.everywhere", payload=b"nonsense")
        await clock.run_for(1)
        assert (await shop.bench.record(task_id)).bury_reason == "undecodable"

    async def test_a_store_that_does_not_say_who_lives_is_asked_again(
        self, shop: Workshop, clock: ManualClock, worker: Worker, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away() -> tuple[WorkerRecord, ...]:
            raise StoreUnavailable(expected="an answer", found="none", do="Wait.")

        with monkeypatch.context() as outage:
            outage.setattr(store, "workers", away)
            task_id = await shop.enqueue(EVERYWHERE.call())
            await clock.run_for(0.5)
            assert await copies(shop, task_id) == {}
        await clock.run_for(2)
        assert set(await copies(shop, task_id)) == {"a", "b"}
