"""When a worker asks, by which way, and that asking never spins."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.store import LeaseAnswer, LeaseRequest, Notice, Sought
from stem.errors import StoreCorrupt, StoreUnavailable
from stem.registry import definition
from stem.stores.committer import Committer
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.worker.turns import POLL, wait_length
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, turns


class _Ear:
    """Records every lease request on its way to the store."""

    def __init__(self, store: MemoryStore, patch: pytest.MonkeyPatch) -> None:
        self.requests: list[LeaseRequest] = []
        self.away = 0
        self._lease = store.lease
        patch.setattr(store, "lease", self._hear)

    async def _hear(self, request: LeaseRequest) -> LeaseAnswer:
        self.requests.append(request)
        if self.away:
            self.away -= 1
            raise StoreUnavailable(expected="a", found="b", do="c.")
        return await self._lease(request)


class _Seeking(MemoryStore):
    """Takes requests without a coroutine, while it is open for them; the test answers."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.is_open = True
        self.sought: list[tuple[LeaseRequest, Sought]] = []

    def seek(self, request: LeaseRequest, told: Sought, /) -> bool:
        if self.is_open:
            self.sought.append((request, told))
        return self.is_open

    async def answer(self) -> None:
        """What there is, for the request that came first."""
        request, told = self.sought.pop(0)
        told(await self.lease(request))
        await turns()


@pytest.fixture
def seeking(clock: ManualClock) -> _Seeking:
    return _Seeking(clock)


@pytest.fixture
async def seekers(seeking: _Seeking, clock: ManualClock) -> AsyncIterator[Workshop]:
    commits = Committer(seeking, clock=clock)
    shop = Workshop.over(seeking, clock, commits)
    yield shop
    await shop.aclose()
    await commits.aclose()


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


@pytest.fixture
def ear(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> _Ear:
    return _Ear(store, monkeypatch)


def test_it_asks_again_when_something_is_due_but_within_five_seconds_and_not_at_once() -> None:
    assert wait_length(None) == POLL
    assert wait_length(300_000) == 300_000
    assert wait_length(90 * SECOND) == POLL
    assert wait_length(0) == 1_000


async def test_an_idle_worker_asks_every_five_seconds(shop: Workshop, ear: _Ear, clock: ManualClock) -> None:
    shop.hands(tasks.add).fetch()

    await clock.run_for(21)

    assert len(ear.requests) == 5


async def test_a_busy_worker_sets_no_alarm_for_every_rest(shop: Workshop, ear: _Ear, clock: ManualClock) -> None:
    hands = shop.hands(tasks.add)
    hands.fetch()
    for number in range(20):
        await shop.enqueue(definition(tasks.add).call(1, number))
        await clock.run_for(0.1)
    asked = len(ear.requests)

    await clock.run_for(3.1)

    assert len(ear.requests) == asked + 1


async def test_a_notice_brings_the_task_at_once(shop: Workshop, clock: ManualClock) -> None:
    shop.hands(tasks.add).fetch()
    await turns()
    before = clock.elapsed()

    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await turns()

    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
    assert clock.elapsed() == before


async def test_a_delayed_task_is_fetched_when_it_is_due(shop: Workshop, clock: ManualClock) -> None:
    shop.hands(tasks.add).fetch()
    task_id = await shop.bench.put(name="tests.add", payload=b'{"a":1,"b":2}', delay=2 * SECOND + 345_000)

    await clock.run_for(2.344)
    assert await shop.bench.state(task_id) is TaskState.QUEUED
    await clock.run_for(0.001)

    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_with_every_slot_taken_nothing_is_asked_for(
    shop: Workshop, ear: _Ear, clock: ManualClock, gate: tasks.Gate
) -> None:
    for _ in range(3):
        await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds, concurrency=2)
    hands.fetch()
    await turns()
    asked = len(ear.requests)

    await clock.run_for(30)
    assert (len(ear.requests), hands.engine.slots.busy) == (asked, 2)
    gate.open()
    await clock.run_for(1)

    assert gate.left == 3


async def test_many_long_ones_that_end_together_are_not_taken_for_many_short_ones(
    shop: Workshop, ear: _Ear, clock: ManualClock, gate: tasks.Gate
) -> None:
    shop.hands(tasks.holds, concurrency=10).fetch()
    await shop.enqueue(definition(tasks.holds).call())
    await turns()
    others = tasks.gates.gate = tasks.Gate()
    for _ in range(60):
        await shop.enqueue(definition(tasks.holds).call())
    await clock.run_for(1)
    tasks.gates.gate = tasks.Gate()
    for opened in (gate, others):  # the first end begins the time in which the others are counted
        opened.open()
        await turns()
    ear.requests.clear()
    await clock.run_for(0.03)
    await shop.enqueue(definition(tasks.holds).call())  # which makes it look again
    await turns()

    assert (others.left, tasks.gates.gate.entered) == (9, 10)
    assert [request.limit for request in ear.requests] == [10]


async def test_the_first_deliveries_are_marked_as_started_by_the_lease_call(shop: Workshop, ear: _Ear) -> None:
    shop.hands(tasks.add, concurrency=7).fetch()
    await turns()

    assert (ear.requests[0].limit, ear.requests[0].started) == (7, 7)


async def test_nothing_is_marked_where_a_task_may_run_at_most_once(shop: Workshop, ear: _Ear) -> None:
    shop.hands(tasks.add, tasks.early).fetch()
    await turns()

    assert ear.requests[0].started == 0


async def test_a_task_has_the_lease_of_its_own_length(shop: Workshop, ear: _Ear) -> None:
    shop.hands(tasks.add, tasks.long_lease).fetch()
    await turns()

    assert ear.requests[0].leases == {"tests.long_lease": 60 * SECOND, "tests.long_lease_once": 60 * SECOND}


async def test_after_an_outage_the_same_request_is_sent_again(
    shop: Workshop, ear: _Ear, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    ear.away = 3
    hands = shop.hands(tasks.add)
    hands.fetch()
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))

    await clock.run_for(0.35)

    assert len({request.request_id for request in ear.requests[:4]}) == 1
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
    assert "STEM-E031" in caplog.text


async def test_an_outage_is_not_hammered(shop: Workshop, ear: _Ear, clock: ManualClock) -> None:
    ear.away = 10_000
    hands = shop.hands(tasks.add)
    hands.fetch()

    await clock.run_for(60)

    assert 60 < len(ear.requests) < 70
    hands.engine.fetcher.stop()
    await clock.run_for(1)
    assert all(task.done() for task in hands.tasks)


async def test_a_store_that_is_damaged_ends_the_loop_with_its_error(
    shop: Workshop, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(request: LeaseRequest) -> LeaseAnswer:
        raise StoreCorrupt(expected="a", found=request.worker, do="c.")

    monkeypatch.setattr(store, "lease", damaged)
    hands = shop.hands(tasks.add)

    with pytest.raises(StoreCorrupt):
        await hands.engine.fetcher.run()


async def test_what_a_call_under_way_brings_after_a_stop_goes_back(
    shop: Workshop, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds)
    lease = store.lease

    async def stopped_meanwhile(request: LeaseRequest) -> LeaseAnswer:
        answer = await lease(request)
        hands.engine.fetcher.stop()
        hands.engine.slots.close()
        return answer

    monkeypatch.setattr(store, "lease", stopped_meanwhile)
    await hands.engine.fetcher.run()
    await hands.engine.flush(1_000_000)

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt, record.deliveries) == (TaskState.QUEUED, 0, 1)


_NEWS = Notice(queues=frozenset({"default"}))


async def _resting(seekers: Workshop, seeking: _Seeking) -> Hands:
    """A worker that has asked once, for nothing."""
    hands = seekers.hands(tasks.add, tasks.holds)
    hands.fetch()
    await turns()
    await seeking.answer()
    return hands


async def test_an_idle_worker_asks_before_its_ear_returns(seekers: Workshop, seeking: _Seeking) -> None:
    hands = await _resting(seekers, seeking)

    hands.engine.fetcher.hear(_NEWS)

    assert len(seeking.sought) == 1


async def test_a_busy_worker_asks_once_for_all_that_it_hears_in_a_turn_of_the_loop(
    seekers: Workshop, seeking: _Seeking
) -> None:
    await seekers.enqueue(definition(tasks.holds).call())
    hands = await _resting(seekers, seeking)

    hands.engine.fetcher.hear(_NEWS)
    hands.engine.fetcher.hear(_NEWS)
    assert seeking.sought == []
    await turns()

    assert (hands.engine.slots.busy, len(seeking.sought)) == (1, 1)


async def test_what_is_heard_while_a_call_is_under_way_is_followed_by_another(
    seekers: Workshop, seeking: _Seeking
) -> None:
    hands = await _resting(seekers, seeking)
    hands.engine.fetcher.hear(_NEWS)
    hands.engine.fetcher.hear(_NEWS)
    assert len(seeking.sought) == 1

    await seeking.answer()

    assert len(seeking.sought) == 1


async def test_a_store_that_cannot_be_asked_without_a_coroutine_is_asked_with_one(
    seekers: Workshop, seeking: _Seeking
) -> None:
    seeking.is_open = False
    seekers.hands(tasks.add).fetch()

    task_id = await seekers.enqueue(definition(tasks.add).call(1, 2))
    await turns()

    assert await seekers.bench.state(task_id) is TaskState.SUCCEEDED


async def test_a_call_without_an_answer_is_made_again_under_its_request_id(
    seekers: Workshop, seeking: _Seeking
) -> None:
    hands = await _resting(seekers, seeking)
    task_id = await seekers.enqueue(definition(tasks.holds).call())
    ((request, told),) = seeking.sought
    (leased,) = (await seeking.lease(request)).deliveries

    told(None)
    await turns()

    assert leased.fence.task_id == task_id
    assert [held.fence for held in hands.engine.slots.held()] == [leased.fence]


async def test_what_comes_when_nobody_leases_any_more_is_left_to_its_lease(
    seekers: Workshop, seeking: _Seeking
) -> None:
    hands = await _resting(seekers, seeking)
    await seekers.enqueue(definition(tasks.holds).call())
    hands.tasks[0].cancel()
    await turns()

    await seeking.answer()
    hands.engine.fetcher.hear(_NEWS)

    assert (hands.engine.slots.idle, seeking.sought) == (True, [])


async def test_a_worker_that_is_stopped_waits_for_the_answer_and_gives_back_what_it_brings(
    seekers: Workshop, seeking: _Seeking
) -> None:
    hands = await _resting(seekers, seeking)
    task_id = await seekers.enqueue(definition(tasks.holds).call())
    hands.engine.fetcher.stop()
    hands.engine.slots.close()
    await turns()
    assert not hands.tasks[0].done()

    await seeking.answer()
    await hands.engine.flush(SECOND)

    assert hands.tasks[0].done()
    assert (await seekers.bench.record(task_id)).state is TaskState.QUEUED
