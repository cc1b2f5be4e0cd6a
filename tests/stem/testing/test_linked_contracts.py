"""The contract suite finds engines that break a promise about what is linked, and about what stands beside tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.clock import Clock, Micros
from stem.contracts.broadcasts import Broadcast
from stem.contracts.changes import Change, Discard, FireSchedule, Publish, Replay, SealGroup, Verdict, Write
from stem.contracts.control import Revocation
from stem.contracts.locks import Lock
from stem.contracts.outcomes import Outcome
from stem.contracts.queries import QueueCount, TaskFilter
from stem.contracts.retention import Retention
from stem.contracts.store import LeaseAnswer, LeaseRequest
from stem.testing import ManualClock
from stem.testing.contracts import Bench, StoreContract
from stem.testing.contracts.build import FAILURE
from stem.testing.contracts.keeping import CHOSEN
from tests.stem.testing.promises import Broken, assert_found, names

SUITE = StoreContract()


class Rewrites(MemoryStore):
    """Commits something else than it was given."""

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        return await super().commit(
            [change._replace(writes=tuple(map(self.other, change.writes))) for change in changes]
        )

    def other(self, write: Write) -> Write:
        return write


class HoldsNoContinuation(Rewrites):
    def other(self, write: Write) -> Write:
        return write._replace(after=None) if isinstance(write, Publish) else write


class JoinsNobody(Rewrites):
    def other(self, write: Write) -> Write:
        return write._replace(member=None) if isinstance(write, Publish) else write


class ReplaysAtOnce(Rewrites):
    def other(self, write: Write) -> Write:
        return replace(write, delay=0) if isinstance(write, Replay) else write


class DiscardsAnyGeneration(Rewrites):
    def other(self, write: Write) -> Write:
        return replace(write, generation=None) if isinstance(write, Discard) else write


class SealsWhatIsNotFull(Rewrites):
    def other(self, write: Write) -> Write:
        if isinstance(write, SealGroup) and (group := self._tables.groups.get(write.group)) is not None:
            group.size = len(group.places)
        return write


class JoinsAgainAfterAReplay(Rewrites):
    def other(self, write: Write) -> Write:
        if isinstance(write, Replay):
            self._tables.tasks[write.task_id].joined = False
        return write


class ForgetsWhoWaits(Rewrites):
    def other(self, write: Write) -> Write:
        for message in self._tables.tasks.values():
            message.awaited = False
        return write


class PublishesBesideItsFiring(MemoryStore):
    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        for change in changes:
            if any(isinstance(write, FireSchedule) for write in change.writes):
                await super().commit([Change((write,)) for write in change.writes if isinstance(write, Publish)])
        return await super().commit(changes)


class TurnsABatchRound(MemoryStore):
    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        return (await super().commit(changes[::-1]))[::-1]


class LeasesMembersOfClosedGroups(MemoryStore):
    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        for message in self._tables.tasks.values():
            message.member = None
        return await super().lease(request)


class PausesNothing(MemoryStore):
    async def pause(self, queue: str, *, reason: str = "") -> None:
        await super().pause(f"not {queue}", reason=reason)


class PinsNothing(MemoryStore):
    async def retain(self, limit: int) -> int:
        self._tables.waiters.clear()
        return await super().retain(limit)


class KeepsUnsealedGroups(MemoryStore):
    async def retain(self, limit: int) -> int:
        for group in self._tables.groups.values():
            group.opened_at = self._clock.now()
        return await super().retain(limit)


class LocksForEverybody(MemoryStore):
    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        await super().acquire(key, "everybody", ttl)
        return await super().acquire(key, "everybody", ttl)


class BeginsFencesAnew(MemoryStore):
    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        lock = await super().acquire(key, owner, ttl)
        return None if lock is None else replace(lock, fence=1)


class LetsTheLastRevocationHold(MemoryStore):
    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        self._tables.revocations.clear()
        return await super().revoke(revocations)


class RepeatsBroadcasts(MemoryStore):
    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        return await super().broadcasts(channels, after=0, limit=limit)


class ForgetsThePresent(MemoryStore):
    async def broadcast_position(self) -> int:
        return await super().broadcast_position() + 1


class LetsTheLastOutcomeStand(MemoryStore):
    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        self._tables.outcomes.clear()
        return await super().record_outcomes(outcomes)


class ForgetsWhatIsNeeded(MemoryStore):
    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        await super().forget_outcomes(ids)


class AwaitsNothing(MemoryStore):
    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset()


class CountsWhatIsLeasedAsWaiting(MemoryStore):
    async def queues(self) -> tuple[QueueCount, ...]:
        records = (await self.list_tasks(TaskFilter(), limit=10_000)).records
        waiting = {record.queue: [r for r in records if r.queue == record.queue] for record in records}
        return tuple(QueueCount(queue, {rows[0].state: len(rows)}, None) for queue, rows in sorted(waiting.items()))


class CountsNamesForEver(MemoryStore):
    def __init__(self, clock: Clock, retention: Retention | None = None) -> None:
        super().__init__(clock, retention)
        self._seen: dict[str, int] = {}

    async def task_names(self) -> Mapping[str, int]:
        self._seen |= await super().task_names()
        return self._seen


BROKEN: list[Broken] = [
    (HoldsNoContinuation, SUITE.test_a_continuation_is_held_queued_due_never_and_given_to_no_worker),
    (JoinsNobody, SUITE.test_the_ends_of_two_members_in_one_batch_let_the_continuation_go_once),
    (ReplaysAtOnce, SUITE.test_a_replay_is_due_after_its_delay),
    (DiscardsAnyGeneration, SUITE.test_a_discard_of_an_earlier_generation_leaves_a_later_one_as_it_is),
    (SealsWhatIsNotFull, SUITE.test_a_seal_is_refused_while_a_place_is_empty),
    (JoinsAgainAfterAReplay, lambda bench: SUITE.test_a_replayed_member_does_not_join_again(bench, FAILURE)),
    (ForgetsWhoWaits, SUITE.test_the_result_of_what_a_live_message_waits_for_is_stored_even_if_ignored),
    (PublishesBesideItsFiring, SUITE.test_a_firing_with_another_time_is_fenced_and_nothing_is_written),
    (TurnsABatchRound, SUITE.test_changes_of_one_batch_take_effect_in_their_order),
    (LeasesMembersOfClosedGroups, SUITE.test_members_of_a_group_that_has_its_answer_are_not_leased),
    (PausesNothing, SUITE.test_from_a_paused_queue_nothing_is_leased),
    (PinsNothing, SUITE.test_a_task_is_kept_as_long_as_a_live_message_waits_for_its_result),
    (KeepsUnsealedGroups, SUITE.test_a_group_that_was_not_sealed_within_an_hour_is_removed_with_its_members),
    (LocksForEverybody, SUITE.test_a_second_owner_gets_nothing_while_a_lock_is_held),
    (BeginsFencesAnew, SUITE.test_a_fence_is_higher_than_that_of_every_holder_before),
    (LetsTheLastRevocationHold, SUITE.test_a_version_that_is_not_above_is_ignored_and_the_one_that_holds_is_answered),
    (RepeatsBroadcasts, SUITE.test_every_listener_hears_each_message_exactly_once),
    (ForgetsThePresent, SUITE.test_who_listens_from_now_on_hears_nothing_of_before),
    (LetsTheLastOutcomeStand, SUITE.test_the_first_outcome_stands_for_ever),
    (ForgetsWhatIsNeeded, SUITE.test_an_old_outcome_that_is_needed_stays_and_is_old_again_later),
    (AwaitsNothing, SUITE.test_awaited_is_what_a_live_message_waits_for),
    (CountsWhatIsLeasedAsWaiting, lambda bench: SUITE.test_counts_are_exact_after_every_change(bench, 1)),
    (CountsNamesForEver, SUITE.test_a_queue_and_a_name_without_a_record_are_not_told),
]


@pytest.mark.parametrize("case", BROKEN, ids=names(BROKEN))
async def test_an_engine_that_breaks_a_promise_fails_the_test_of_that_promise(
    case: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assert_found(case, monkeypatch)


async def test_an_engine_that_keeps_records_as_it_likes_fails_the_test_of_the_chosen_retention() -> None:
    clock = ManualClock()
    promise = SUITE.test_a_cancelled_record_is_kept_as_long_as_was_chosen_for_it
    with pytest.raises(AssertionError):
        await promise(Bench(MemoryStore(clock), clock))
    await promise(Bench(MemoryStore(clock, CHOSEN), clock))
