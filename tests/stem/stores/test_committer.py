"""One door to the store: batches without timers, resending, verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Change,
    Fence,
    Publish,
    RefusalCode,
    Refused,
    Release,
    Settle,
    Start,
    UniqueKey,
    Verdict,
)
from stem.errors import StemError, StoreCorrupt, StoreFull, StoreUnavailable
from stem.stores import lane as module
from stem.stores.committer import Committer
from stem.tasks.retry import DEFAULT_BACKOFF
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench, publish

_HELD_UP = Refused(RefusalCode.HELD_UP, "an open transaction has it")


class _Door(MemoryStore):
    """A store whose commits the test counts, delays, breaks."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.batches: list[list[Change]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.errors: list[BaseException] = []
        self.lose_answer = False
        self.blocked: asyncio.Event | None = None
        self.held_keys: set[str] = set()

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        self.batches.append(list(changes))
        await self.open.wait()
        if self.blocked is not None and changes[0].fence is None:
            await self.blocked.wait()
        if self.errors:
            raise self.errors.pop(0)
        free = [change for change in changes if _key(change) not in self.held_keys]
        applied = iter(await super().commit(free))
        verdicts = [next(applied) if change in free else _HELD_UP for change in changes]
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


def _key(change: Change) -> str | None:
    write = change.writes[0]
    return write.unique.key if isinstance(write, Publish) and write.unique is not None else None


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
    await asyncio.gather(*[committer.commit(_lost(number)) for number in range(1_001)])

    assert [len(batch) for batch in door.batches] == [500, 500, 1]


async def test_a_batch_holds_at_most_4_mib(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change(1_500_000)) for _ in range(5)])

    assert [len(batch) for batch in door.batches] == [2, 2, 1]


async def test_a_change_larger_than_a_batch_travels_alone(committer: Committer, door: _Door) -> None:
    await asyncio.gather(*[committer.commit(_change(size)) for size in (5_000_000, 2, 2)])

    assert [len(batch) for batch in door.batches] == [1, 2]


async def test_outcomes_and_what_is_new_are_under_way_at_the_same_time(committer: Committer, door: _Door) -> None:
    door.open.clear()
    free = asyncio.ensure_future(committer.commit(_unique("k")))
    await _turns()
    fenced = asyncio.ensure_future(committer.commit(_lost(1)))
    await _turns()

    assert [len(batch) for batch in door.batches] == [1, 1]
    door.open.set()
    assert (await free, await fenced) == (APPLIED, FENCED)


async def test_an_outcome_does_not_wait_for_a_publish_that_is_blocked(committer: Committer, door: _Door) -> None:
    door.blocked = asyncio.Event()
    publish = asyncio.ensure_future(committer.commit(_unique("k")))
    await _turns()

    assert await committer.commit(_lost(1)) == FENCED
    assert not publish.done()
    door.blocked.set()
    assert await publish == APPLIED


async def test_fenced_changes_and_others_never_share_a_batch(committer: Committer, door: _Door) -> None:
    changes = [_change(), _lost(1), _change(), _lost(2), _unique("k")]

    await asyncio.gather(*[committer.commit(change) for change in changes])

    assert door.batches == [[changes[0], changes[2]], [changes[1], changes[3]], [changes[4]]]


async def test_one_batch_of_outcomes_is_under_way_at_a_time(committer: Committer, door: _Door) -> None:
    door.open.clear()
    sent = [asyncio.ensure_future(committer.commit(_lost(number))) for number in range(200)]
    await _turns()

    assert [len(batch) for batch in door.batches] == [200]
    more = [asyncio.ensure_future(committer.commit(_lost(number))) for number in range(200)]
    await _turns()
    assert [len(batch) for batch in door.batches] == [200]
    door.open.set()
    await asyncio.gather(*sent, *more)


async def test_many_publishes_travel_in_two_halves_so_that_one_is_prepared_while_the_other_is_stored(
    committer: Committer, door: _Door
) -> None:
    door.open.clear()
    sent = [asyncio.ensure_future(committer.commit(_change())) for _ in range(100)]
    await _turns()

    assert [len(batch) for batch in door.batches] == [50, 50]
    door.open.set()
    assert set(await asyncio.gather(*sent)) == {APPLIED}


async def test_the_next_batch_is_with_the_engine_before_callers_of_the_last_one_go_on(
    committer: Committer, door: _Door
) -> None:
    door.open.clear()
    seen: list[int] = []

    async def caller() -> None:
        await committer.commit(_lost(1))
        seen.append(len(door.batches))

    first = asyncio.ensure_future(caller())
    await _turns()
    second = asyncio.ensure_future(caller())
    await _turns()
    door.open.set()
    await asyncio.gather(first, second)

    assert seen == [2, 2]


async def test_one_who_does_not_wait_is_told_the_verdict_or_the_error(committer: Committer, door: _Door) -> None:
    told: list[Verdict | StemError] = []
    committer.settle(_lost(1), told.append)
    await _turns()
    door.errors = [StoreCorrupt(expected="a", found="b", do="c.")]
    committer.settle(_lost(2), told.append)
    await _turns()
    await committer.aclose()
    committer.settle(_lost(3), told.append)

    assert told[0] == FENCED
    assert [type(each) for each in told[1:]] == [StoreCorrupt, StoreUnavailable]


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


async def test_a_start_rides_with_the_next_batch_ahead_of_the_outcomes(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(given.fence, Start(DEFAULT_BACKOFF))
    await committer.commit(_lost(1))

    assert [type(change.writes[0]) for change in door.batches[-1]] == [Start, Release]
    assert (await bench.record(given.fence.task_id)).started_at is not None


async def test_a_start_travels_alone_when_nothing_else_does(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(given.fence, Start(DEFAULT_BACKOFF))
    await committer.aclose()

    assert (await bench.record(given.fence.task_id)).started_at is not None


async def test_a_start_stays_when_another_lease_of_its_task_is_consumed(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(given.fence, Start(DEFAULT_BACKOFF))
    older = Change((Release(),), given.fence._replace(counter=0))
    assert await committer.commit(older) == FENCED

    assert [type(change.writes[0]) for change in door.batches[-1]] == [Start, Release]


async def test_a_start_is_dropped_when_its_lease_is_consumed_before_it_was_sent(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    bench = Bench(door, clock)
    await bench.put()
    given = await bench.delivery()

    committer.start(given.fence, Start(DEFAULT_BACKOFF))
    settle = Change((Settle(TaskEvent.SUCCEEDED, b"1"),), given.fence)
    assert await committer.commit(settle) == APPLIED

    assert door.batches[-1] == [settle]
    assert await bench.state(given.fence.task_id) is TaskState.SUCCEEDED


async def test_a_full_queue_holds_publishers_back_but_not_the_outcomes_of_tasks(
    committer: Committer, door: _Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_BYTES", 10_000)
    door.blocked = asyncio.Event()
    publishes = [asyncio.ensure_future(committer.commit(_change(4_000))) for _ in range(9)]
    await _turns()
    assert len(door.batches) == 1
    first = len(door.batches[0])

    assert await committer.commit(_lost(1)) == FENCED

    assert first < 9
    door.blocked.set()
    assert await asyncio.gather(*publishes) == [APPLIED] * 9
    assert max(len(batch) for batch in door.batches) <= first


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


async def test_a_key_in_an_open_transaction_is_asked_for_again_until_it_is_free(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.held_keys = {"held"}
    sent = asyncio.ensure_future(committer.commit(_unique("held")))
    await clock.run_for(5)
    assert not sent.done()
    door.held_keys.clear()
    await clock.run_for(2)
    assert await sent == APPLIED


async def test_a_key_in_an_open_transaction_holds_up_no_other_publish(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.held_keys = {"held"}
    sent = asyncio.ensure_future(committer.commit_all([_unique("held"), _unique("free")]))
    await _turns()
    assert await committer.commit(_unique("other")) == APPLIED
    assert await committer.commit(_change()) == APPLIED
    door.held_keys.clear()
    await clock.run_for(2)
    assert await sent == [APPLIED, APPLIED]


async def test_a_publish_does_not_wait_for_a_batch_that_asks_for_keys(committer: Committer, door: _Door) -> None:
    door.open.clear()
    keyed, plain = (asyncio.ensure_future(committer.commit(change)) for change in (_unique("a"), _change()))
    await _turns()
    assert len(door.batches) == 2
    door.open.set()
    assert [await keyed, await plain] == [APPLIED, APPLIED]


async def test_a_key_that_is_held_for_30_seconds_is_given_up(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.held_keys = {"held"}
    sent = asyncio.ensure_future(committer.commit(_unique("held")))
    await clock.run_for(28)
    assert not sent.done()
    await clock.run_for(4)
    assert await sent == _HELD_UP


async def test_closing_does_not_wait_for_ever_for_a_key_that_is_held(
    committer: Committer, door: _Door, clock: ManualClock
) -> None:
    door.held_keys = {"held"}
    sent = asyncio.ensure_future(committer.commit(_unique("held")))
    await _turns()
    closing = asyncio.ensure_future(committer.aclose())
    await clock.run_for(6)
    await closing
    with pytest.raises(StoreUnavailable):
        await sent
