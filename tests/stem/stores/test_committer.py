"""One door to the store: batches without timers, resending, verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import APPLIED, FENCED, Change, Fence, Publish, Release, Settle, Start, UniqueKey, Verdict
from stem.errors import StoreFull, StoreUnavailable
from stem.stores import committer as module
from stem.stores.committer import Committer
from stem.tasks.retry import DEFAULT_BACKOFF
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench, publish


class _Door(MemoryStore):
    """A store whose commits the test counts, delays, breaks."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.batches: list[list[Change]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.errors: list[BaseException] = []
        self.lose_answer = False
        self.more: list[Change] = []
        self.committer: Committer | None = None

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        self.batches.append(list(changes))
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        verdicts = await super().commit(changes)
        if self.committer is not None and changes[0].fence is not None and self.more:
            sent = [asyncio.ensure_future(self.committer.commit(self.more.pop()))]
            await asyncio.wait(sent, timeout=0)
        if self.lose_answer:
            self.lose_answer = False
            raise _away()
        return verdicts


def _away() -> StoreUnavailable:
    return StoreUnavailable(expected="an answer", found="none", do="Wait.")


def _full() -> StoreFull:
    return StoreFull(expected="space", found="none", do="Make some.")


def _change(size: int = 2) -> Change:
    return Change((publish(payload=b"x" * size),))


def _unique(key: str) -> Change:
    return Change((publish(unique=UniqueKey(key)),))


def _lost(number: int) -> Change:
    return Change((Release(),), Fence("nobody", number, "n"))


def _id(change: Change) -> str:
    (write,) = change.writes
    assert isinstance(write, Publish)
    return write.envelope.id


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def door(clock: ManualClock) -> _Door:
    return _Door(clock)


@pytest.fixture
def committer(door: _Door, clock: ManualClock) -> Committer:
    return Committer(door, clock=clock)


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_change_is_sent_at_once_when_nothing_is_in_flight(committer: Committer, door: _Door) -> None:
    assert await committer.commit(_change()) == APPLIED
    assert [len(batch) for batch in door.batches] == [1]


async def test_callers_of_the_same_turn_of_the_loop_travel_together(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change()) for _ in range(50)])

    assert [len(batch) for batch in door.batches] == [50]


async def test_what_arrives_while_a_commit_is_in_flight_is_the_next_batch(committer: Committer, door: _Door) -> None:
    door.open.clear()
    first = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    others = [asyncio.ensure_future(committer.commit(_change())) for _ in range(20)]
    await _turns()
    assert [len(batch) for batch in door.batches] == [1]

    door.open.set()
    await asyncio.gather(first, *others)

    assert [len(batch) for batch in door.batches] == [1, 20]


async def test_a_batch_holds_at_most_500_changes(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change()) for _ in range(1_001)])

    assert [len(batch) for batch in door.batches] == [500, 500, 1]


async def test_a_batch_holds_at_most_4_mib(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change(1_500_000)) for _ in range(5)])

    assert [len(batch) for batch in door.batches] == [2, 2, 1]


async def test_a_change_larger_than_a_batch_travels_alone(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change(size)) for size in (5_000_000, 2, 2)])

    assert [len(batch) for batch in door.batches] == [1, 2]


async def test_fenced_changes_go_first(committer: Committer, door: _Door) -> None:
    door.open.clear()
    first = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    free = asyncio.ensure_future(committer.commit(_change()))
    fenced = asyncio.ensure_future(committer.commit(Change((Release(),), Fence("nobody", 1, "n"))))
    await _turns()
    door.open.set()
    await asyncio.gather(first, free, fenced)

    assert [change.fence is not None for change in door.batches[1]] == [True, False]
    assert fenced.result() == FENCED


async def test_a_publish_with_a_unique_key_is_never_batched_with_fenced_changes(
    committer: Committer, door: _Door
) -> None:
    door.open.clear()
    first = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    waiting = [_unique("k"), _change(), _lost(1), _lost(2)]
    others = [asyncio.ensure_future(committer.commit(change)) for change in waiting]
    await _turns()
    door.open.set()
    await asyncio.gather(first, *others)

    assert door.batches[1:] == [waiting[2:], waiting[:2]]


async def test_a_unique_key_that_waited_for_fenced_changes_goes_before_the_next_ones(
    committer: Committer, door: _Door
) -> None:
    door.open.clear()
    changes = [_change(), _lost(1), _unique("k")]
    sent = [asyncio.ensure_future(committer.commit(changes[0]))]
    await _turns()
    sent += [asyncio.ensure_future(committer.commit(change)) for change in changes[1:]]
    door.more = [_lost(2)]
    door.committer = committer
    door.open.set()
    await asyncio.gather(*sent)
    await _turns()

    assert door.batches == [[changes[0]], [changes[1]], [changes[2]], [_lost(2)]]


async def test_after_a_lost_answer_the_same_change_is_sent_again_and_applied_once(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.lose_answer = True
    change = _change()
    sent = asyncio.ensure_future(committer.commit(change))
    await clock.run_for(1)

    assert sent.result() == APPLIED
    assert door.batches == [[change], [change]]
    assert len((await door.get([_id(change)])).values()) == 1


async def test_a_store_that_is_away_is_asked_for_30_seconds_and_then_the_outcome_is_unknown(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.errors = [_away() for _ in range(1_000)]
    sent = asyncio.ensure_future(committer.commit(_change()))
    await clock.run_for(28)
    assert not sent.done()
    asked = len(door.batches)
    await clock.run_for(3)

    with pytest.raises(StoreUnavailable, match="outcome unknown"):
        await sent
    assert 25 < asked < 40


async def test_what_was_queued_during_an_outage_has_its_own_30_seconds(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.errors = [_away() for _ in range(1_000)]
    first = asyncio.ensure_future(committer.commit(_change()))
    await clock.run_for(29)
    second = asyncio.ensure_future(committer.commit(_change()))
    await clock.run_for(6)
    door.errors.clear()
    await clock.run_for(2)

    with pytest.raises(StoreUnavailable):
        await first
    assert await second == APPLIED


async def test_an_error_of_the_engine_goes_to_its_batch_and_the_next_batch_is_sent(
    committer: Committer, door: _Door
) -> None:
    door.open.clear()
    first = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    second = asyncio.ensure_future(committer.commit(_change()))
    door.errors = [_full()]
    door.open.set()

    with pytest.raises(StoreFull):
        await first
    assert await second == APPLIED


async def test_a_full_store_refuses_what_is_new_at_once_and_the_outcomes_of_tasks_wait_for_space(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()
    door.errors = [_full(), _full(), _full()]
    new = asyncio.ensure_future(committer.commit(_change()))
    outcome = asyncio.ensure_future(committer.commit(Change((Settle(TaskEvent.SUCCEEDED, b"1"),), given.fence)))
    await _turns()

    with pytest.raises(StoreFull):
        await new
    await clock.run_for(1)
    assert await outcome == APPLIED
    assert await bench.state(given.fence.task_id) is TaskState.SUCCEEDED


async def test_a_store_that_stays_full_for_30_seconds_leaves_the_outcome_unknown(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.errors = [_full() for _ in range(1_000)]
    outcome = asyncio.ensure_future(committer.commit(Change((Release(),), Fence("nobody", 1, "n"))))
    await clock.run_for(31)

    with pytest.raises(StoreUnavailable, match="outcome unknown"):
        await outcome


async def test_a_caller_cancelled_before_its_change_was_sent_withdraws_it(committer: Committer, door: _Door) -> None:
    door.open.clear()
    first = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    change = _change()
    withdrawn = asyncio.ensure_future(committer.commit(change))
    await _turns()

    withdrawn.cancel()
    door.open.set()
    await first
    await _turns()

    assert await door.get([_id(change)]) == {}


async def test_a_change_that_was_sent_goes_on_without_its_caller(committer: Committer, door: _Door) -> None:
    door.open.clear()
    change = _change()
    sent = asyncio.ensure_future(committer.commit(change))
    await _turns()

    sent.cancel()
    door.open.set()
    await _turns()

    assert len(await door.get([_id(change)])) == 1


async def test_a_start_rides_with_the_next_batch(committer: Committer, door: _Door, clock: ManualClock) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(Change((Start(DEFAULT_BACKOFF),), given.fence))
    await committer.commit(_change())

    assert len(door.batches[-1]) == 2
    assert (await bench.record(given.fence.task_id)).started_at is not None


async def test_a_start_is_dropped_when_its_lease_is_consumed_before_it_was_sent(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(Change((Start(DEFAULT_BACKOFF),), given.fence))
    settle = Change((Settle(TaskEvent.SUCCEEDED, b"1"),), given.fence)
    assert await committer.commit(settle) == APPLIED

    assert door.batches[-1] == [settle]
    assert await bench.state(given.fence.task_id) is TaskState.SUCCEEDED


async def test_a_full_queue_holds_publishers_back_but_not_the_outcomes_of_tasks(
    committer: Committer, door: _Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_BYTES", 10_000)
    door.open.clear()
    publishes = [asyncio.ensure_future(committer.commit(_change(4_000))) for _ in range(9)]
    await _turns()
    outcome = asyncio.ensure_future(committer.commit(Change((Release(),), Fence("nobody", 1, "n"))))
    await _turns()

    door.open.set()
    await outcome

    assert any(len(batch) > 1 and batch[0].fence is not None for batch in door.batches)
    assert await asyncio.gather(*publishes) == [APPLIED] * 9


async def test_closing_sends_what_is_queued(committer: Committer, door: _Door) -> None:
    change = _change()
    sent = asyncio.ensure_future(committer.commit(change))
    await asyncio.sleep(0)

    await committer.aclose()

    assert sent.result() == APPLIED


async def test_closing_waits_no_longer_than_its_deadline(committer: Committer, door: _Door, clock: ManualClock) -> None:
    door.open.clear()
    sent = asyncio.ensure_future(committer.commit(_change()))
    await _turns()
    closing = asyncio.ensure_future(committer.aclose(within=2_000_000))

    await clock.run_for(3)

    assert closing.done()
    with pytest.raises(StoreUnavailable):
        await sent


async def test_after_closing_nothing_is_taken(committer: Committer) -> None:
    await committer.aclose()

    with pytest.raises(StoreUnavailable, match="closed"):
        await committer.commit(_change())
