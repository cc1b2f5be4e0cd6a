"""Groups that have their answer early: what is left of their members ends, a bounded number at once."""

from __future__ import annotations

import asyncio

import pytest

from stem.contracts.changes import Bury, Cancel, Park, Release, Replay, Reschedule, SealGroup, Write
from stem.contracts.store import LeaseVerdict, Renewal
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, publish, seconds
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.lineups import chord, fill, group_of, open_group, states

__all__ = ["ClosingContract"]

BACK: list[Write] = [Release(), Reschedule(0, Failure("E", "m")), Park("unknown task", "registry-9", seconds(5))]


async def _closed_early(bench: Bench, left: int) -> tuple[str, list[str]]:
    """A group of which the first member failed, and `left` others wait."""
    group, ids = await fill(bench, left + 1)
    assert await bench.finish(FAILURE) == ids[0]
    assert (await group_of(bench, group)).state is GroupState.UNMET
    return group, ids[1:]


class ClosingContract(Contract):
    """The lazy end of members that are no longer needed."""

    async def test_members_of_a_group_that_has_its_answer_are_not_leased(self, bench: Bench) -> None:
        _, ids = await _closed_early(bench, 5)
        task_id = await bench.put()
        assert await bench.leased_ids(9) == [task_id]
        assert await states(bench, *ids) == [TaskState.CANCELLED] * 5

    async def test_a_member_that_is_cancelled_so_says_which_group_has_its_answer(self, bench: Bench) -> None:
        group, ids = await _closed_early(bench, 1)
        await bench.lease()
        record = await bench.record(ids[0])
        assert record.error is not None
        assert record.error.kind == "GroupClosed"
        assert group in record.error.message
        assert record.finished_at == bench.clock.now()

    async def test_a_lease_call_tells_of_those_whom_it_cancels(self, bench: Bench) -> None:
        _, ids = await _closed_early(bench, 1)
        with Ear(bench.store) as ear:
            await bench.lease()
            await ear.hears_of_task(ids[0])

    async def test_a_lease_call_cancels_at_most_200(self, bench: Bench) -> None:
        _, ids = await _closed_early(bench, 450)
        behind = await bench.put()
        found: list[str] = []
        for calls in range(1, 4):
            answer = await bench.lease(5)
            found += [delivery.fence.task_id for delivery in answer.deliveries]
            ended = (await states(bench, *ids)).count(TaskState.CANCELLED)
            assert ended == min(200 * calls, 450)
            assert answer.next_due == (0 if calls < 3 else None)
        assert found == [behind]

    async def test_joins_to_a_closed_group_are_applied_and_change_nothing(self, bench: Bench) -> None:
        group, _ = await fill(bench, 3)
        first, second, third = (await bench.lease(3)).deliveries
        await bench.apply(SUCCESS, fence=first.fence)
        await bench.apply(FAILURE, fence=second.fence)
        before = await group_of(bench, group)
        bench.clock.advance(1)
        await bench.apply(SUCCESS, fence=third.fence)
        assert await group_of(bench, group) == before
        assert (before.state, before.joined, before.succeeded) == (GroupState.UNMET, 2, 1)
        assert await bench.state(third.fence.task_id) is TaskState.SUCCEEDED

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_a_member_that_goes_back_after_the_answer_is_not_leased_again(
        self, bench: Bench, back: Write
    ) -> None:
        await fill(bench, 2)
        first, second = (await bench.lease(2)).deliveries
        await bench.apply(FAILURE, fence=first.fence)
        await bench.apply(back, fence=second.fence)
        assert await bench.leased_ids(9) == []
        assert await bench.state(second.fence.task_id) is TaskState.CANCELLED

    async def test_a_member_that_is_not_due_yet_is_cancelled_when_it_would_be_leased(self, bench: Bench) -> None:
        opened = open_group(2, "any")
        late = publish(member=Member(opened.group, 1), delay=seconds(60))
        await bench.apply(opened, publish(member=Member(opened.group, 0)), late, SealGroup(opened.group))
        await bench.finish()
        bench.clock.advance(60)
        assert await bench.leased_ids(9) == []
        assert await bench.state(late.envelope.id) is TaskState.CANCELLED

    async def test_what_waits_for_a_member_that_is_cancelled_so_is_cancelled_too(self, bench: Bench) -> None:
        _, ids = await fill(bench, 2)
        after = await bench.put(after=After(ids[1]))
        await bench.finish(FAILURE)
        await bench.lease()
        assert await states(bench, ids[1], after) == [TaskState.CANCELLED] * 2

    async def test_the_first_link_of_a_chain_in_a_closed_group_is_cancelled_with_its_chain(self, bench: Bench) -> None:
        opened = open_group(2)
        first = publish(member=Member(opened.group))
        middle = publish(after=After(first.envelope.id))
        last = publish(after=After(middle.envelope.id), member=Member(opened.group, 1))
        plain = publish(member=Member(opened.group, 0), priority=9)
        await bench.apply(opened, first, middle, last, plain, SealGroup(opened.group))
        assert await bench.finish(FAILURE) == plain.envelope.id
        assert await bench.leased_ids(9) == []
        chain = [write.envelope.id for write in (first, middle, last)]
        assert await states(bench, *chain) == [TaskState.CANCELLED] * 3

    async def test_a_replayed_member_runs_although_its_group_has_its_answer(self, bench: Bench) -> None:
        group, ids, body = await chord(bench, 1)
        await bench.finish(Bury("crashed"))
        before = await group_of(bench, group)
        await bench.apply(Replay(ids[0]))
        await bench.store.retain(10)
        assert await bench.finish() == ids[0]
        assert await bench.state(ids[0]) is TaskState.SUCCEEDED
        assert await group_of(bench, group) == before
        assert await bench.state(body) is TaskState.CANCELLED

    async def test_retain_cancels_the_members_that_wait_up_to_its_limit(self, bench: Bench) -> None:
        _, ids = await _closed_early(bench, 5)
        for calls in range(1, 4):
            assert await bench.store.retain(2) == 0
            assert (await states(bench, *ids)).count(TaskState.CANCELLED) == min(2 * calls, 5)

    async def test_retain_asks_the_members_that_run_to_end(self, bench: Bench) -> None:
        await fill(bench, 2)
        first, second = (await bench.lease(2)).deliveries
        await bench.apply(FAILURE, fence=first.fence)
        await bench.store.retain(10)
        record = await bench.record(second.fence.task_id)
        assert (record.state, record.cancel_requested, record.terminate_requested) == (TaskState.RUNNING, True, True)
        keeper = bench.store.keeper()
        verdicts = await asyncio.to_thread(keeper.renew, [Renewal(second.fence, seconds(10))])
        assert verdicts == [LeaseVerdict.TERMINATE]
        keeper.close()
        await bench.apply(SUCCESS, fence=second.fence)

    async def test_retain_cancels_members_of_a_closed_group_that_are_held(self, bench: Bench) -> None:
        opened, upstream = open_group(2), publish(queue="mail")
        held = publish(after=After(upstream.envelope.id), member=Member(opened.group, 1))
        plain = publish(member=Member(opened.group, 0))
        await bench.apply(upstream, opened, plain, held, SealGroup(opened.group))
        await bench.finish(FAILURE)
        await bench.store.retain(10)
        assert await states(bench, held.envelope.id, upstream.envelope.id) == [TaskState.CANCELLED, TaskState.QUEUED]

    async def test_a_cancel_of_a_member_after_the_answer_is_an_ordinary_one(self, bench: Bench) -> None:
        _, ids = await _closed_early(bench, 1)
        await bench.apply(Cancel(ids[0]))
        record = await bench.record(ids[0])
        assert (record.state, record.error) == (TaskState.CANCELLED, None)
