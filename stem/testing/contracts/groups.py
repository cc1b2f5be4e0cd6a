"""Groups: opened, filled in chunks, sealed; nobody works before the seal."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Cancel, Change, OpenGroup, RefusalCode, Replay, SealGroup, UniqueKey, Write
from stem.contracts.groups import GroupRecord
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Store
from stem.tasks.links import After, GroupPolicy, GroupState, Member
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.lineups import fill, group_of, members, of_group, open_group, states

__all__ = ["GroupContract"]


class GroupContract(Contract):
    """`OpenGroup`, `Publish.member`, `SealGroup` and `Groups`."""

    async def test_a_new_group_is_open_and_empty(self, bench: Bench) -> None:
        await bench.apply(OpenGroup(group="g", size=3, policy="any", root="r"))
        assert await bench.store.group("g") == GroupRecord(
            id="g",
            size=3,
            policy="any",
            state=GroupState.OPEN,
            root="r",
            filled=0,
            joined=0,
            succeeded=0,
            opened_at=bench.clock.now(),
            closed_at=None,
        )

    async def test_a_group_that_is_not_known_is_none(self, bench: Bench) -> None:
        assert await bench.store.group("nothing") is None
        assert await bench.store.members("nothing", limit=5) == ()

    async def test_a_group_is_opened_once(self, bench: Bench) -> None:
        opened = open_group(2)
        await bench.apply(opened)
        before = await group_of(bench, opened.group)
        bench.clock.advance(1)
        await bench.apply(opened)
        await bench.apply(OpenGroup(group=opened.group, size=9, policy="any"))
        assert await group_of(bench, opened.group) == before

    async def test_members_are_held_and_given_to_no_worker_before_the_seal(self, bench: Bench) -> None:
        group, ids = await fill(bench, 3, seal=False)
        record = await bench.record(ids[1])
        assert (record.state, record.held, record.due_at) == (TaskState.QUEUED, True, None)
        assert record.member == Member(group, 1)
        bench.clock.advance(600)
        answer = await bench.lease(9)
        assert (answer.deliveries, answer.next_due) == ((), None)

    async def test_after_the_seal_the_members_are_due_in_their_order(self, bench: Bench) -> None:
        group, ids = await fill(bench, 3, seal=False)
        await bench.apply(SealGroup(group))
        assert (await group_of(bench, group)).state is GroupState.SEALED
        assert (await bench.record(ids[1])).due_at == bench.clock.now()
        assert await bench.leased_ids(9) == ids

    async def test_delay_and_expires_of_a_member_count_from_the_seal(self, bench: Bench) -> None:
        group, ids = await fill(bench, 1, seal=False, expires=seconds(10))
        opened = open_group(1)
        late = publish(member=Member(opened.group, 0), delay=seconds(7))
        await bench.apply(opened, late)
        bench.clock.advance(60)
        await bench.apply(SealGroup(group), SealGroup(opened.group))
        assert (await bench.record(ids[0])).expires_at == bench.clock.now() + seconds(10)
        assert (await bench.record(late.envelope.id)).due_at == bench.clock.now() + seconds(7)

    async def test_the_seal_tells_of_the_queues_of_the_members(self, bench: Bench) -> None:
        group, _ = await fill(bench, 2, seal=False, queue="mail")
        with Ear(bench.store) as ear:
            await bench.apply(SealGroup(group))
            await ear.hears_of_queue("mail")

    async def test_a_group_is_filled_in_chunks_each_of_which_may_be_sent_again(self, bench: Bench) -> None:
        opened = open_group(6)
        await bench.apply(opened)
        filled = members(opened)
        for start in (0, 2, 2, 0, 4):
            await bench.apply(opened, *filled[start : start + 2])
        assert (await group_of(bench, opened.group)).filled == 6
        await bench.apply(SealGroup(opened.group))
        assert await bench.leased_ids(9) == [write.envelope.id for write in filled]

    async def test_a_group_may_be_filled_through_two_handles(self, bench: Bench, other: Store) -> None:
        opened = open_group(2)
        await bench.apply(opened)
        first, second = members(opened)
        await bench.apply(first)
        await other.commit([Change((second,))])
        await bench.apply(SealGroup(opened.group))
        assert len(await bench.leased_ids(9)) == 2

    async def test_opening_filling_and_sealing_may_be_one_change_or_one_batch(self, bench: Bench) -> None:
        _, together = await fill(bench, 2)
        opened = open_group(2)
        writes: list[Write] = [opened, *members(opened), SealGroup(opened.group)]
        await bench.store.commit([Change((write,)) for write in writes])
        assert (await bench.leased_ids(9))[:2] == together
        assert (await group_of(bench, opened.group)).state is GroupState.SEALED

    async def test_a_seal_is_refused_while_a_place_is_empty(self, bench: Bench) -> None:
        opened = open_group(3)
        first, second, third = members(opened)
        await bench.apply(opened, first, third)
        assert await bench.refused(SealGroup(opened.group)) == RefusalCode.REJECTED
        assert await bench.leased_ids(9) == []
        await bench.apply(second, SealGroup(opened.group))
        assert len(await bench.leased_ids(9)) == 3

    async def test_a_refused_seal_takes_its_whole_change_along(self, bench: Bench) -> None:
        opened = open_group(2)
        assert await bench.refused(opened, members(opened)[0], SealGroup(opened.group)) == RefusalCode.REJECTED
        assert await bench.store.group(opened.group) is None
        assert await bench.everything() == {}

    async def test_sealed_again_nothing_changes(self, bench: Bench) -> None:
        group, ids = await fill(bench, 2)
        await bench.finish()
        before = await bench.everything(), await group_of(bench, group)
        await bench.apply(SealGroup(group))
        assert (await bench.everything(), await group_of(bench, group)) == before
        assert await bench.leased_ids(9) == ids[1:]

    async def test_an_unknown_group_is_refused(self, bench: Bench) -> None:
        assert await bench.refused(SealGroup("nothing")) == RefusalCode.UNKNOWN_ID
        assert await bench.refused(publish(member=Member("nothing", 0))) == RefusalCode.UNKNOWN_ID
        assert await bench.refused(publish(member=Member("nothing"))) == RefusalCode.UNKNOWN_ID
        assert await bench.everything() == {}

    async def test_a_place_that_is_taken_or_that_the_group_does_not_have_is_refused(self, bench: Bench) -> None:
        group, _ = await fill(bench, 2, seal=False)
        for place in (1, 2):
            assert await bench.refused(publish(member=Member(group, place))) == RefusalCode.REJECTED
        assert (await group_of(bench, group)).filled == 2

    async def test_a_place_is_taken_once_in_one_change(self, bench: Bench) -> None:
        opened = open_group(2)
        twice = [publish(member=Member(opened.group, 0)) for _ in range(2)]
        assert await bench.refused(opened, *twice) == RefusalCode.REJECTED
        assert await bench.everything() == {}

    @pytest.mark.parametrize("place", [None, 0])
    async def test_a_sealed_group_takes_no_more_members(self, bench: Bench, place: int | None) -> None:
        group, ids = await fill(bench, 1)
        assert await bench.refused(publish(member=Member(group, place))) == RefusalCode.REJECTED
        assert set(await bench.everything()) == set(ids)

    async def test_a_negative_size_or_place_is_refused(self, bench: Bench) -> None:
        assert await bench.refused(OpenGroup(group="g", size=-1)) == RefusalCode.REJECTED
        await bench.apply(OpenGroup(group="g", size=1))
        assert await bench.refused(publish(member=Member("g", -1))) == RefusalCode.REJECTED

    @pytest.mark.parametrize(
        ("policy", "state"), [("all", GroupState.MET), ("settled", GroupState.MET), ("any", GroupState.UNMET)]
    )
    async def test_a_group_without_members_has_its_answer_at_the_seal(
        self, bench: Bench, policy: GroupPolicy, state: GroupState
    ) -> None:
        opened = open_group(0, policy)
        write = publish(after=of_group(opened.group))
        await bench.apply(opened, write)
        assert (await bench.record(write.envelope.id)).held
        await bench.apply(SealGroup(opened.group))
        found = await group_of(bench, opened.group)
        assert (found.state, found.closed_at) == (state, bench.clock.now())
        runs = await bench.leased_ids(9) == [write.envelope.id]
        assert runs == (state is GroupState.MET)

    async def test_members_are_given_by_place_in_pages(self, bench: Bench) -> None:
        opened = open_group(5)
        filled = members(opened)
        await bench.apply(opened, publish(member=Member(opened.group)), *reversed(filled))
        rows = [(place, write.envelope.id) for place, write in enumerate(filled)]
        assert await bench.store.members(opened.group, limit=3) == tuple(rows[:3])
        assert await bench.store.members(opened.group, limit=3, after=2) == tuple(rows[3:])
        assert await bench.store.members(opened.group, limit=3, after=4) == ()

    async def test_a_listing_by_group_shows_its_members_with_a_place_and_without(self, bench: Bench) -> None:
        group, ids = await fill(bench, 2, seal=False)
        await fill(bench, 2)
        ids.append(await bench.put(member=Member(group)))
        page = await bench.store.list_tasks(TaskFilter(group=group), limit=9)
        assert [record.id for record in page.records] == ids[::-1]

    async def test_a_member_without_a_place_begins_with_the_group_and_does_not_join_it(self, bench: Bench) -> None:
        opened = open_group(1)
        first = publish(member=Member(opened.group))
        last = publish(after=After(first.envelope.id), member=Member(opened.group, 0))
        await bench.apply(opened, first, last)
        assert await bench.leased_ids(9) == []
        await bench.apply(SealGroup(opened.group))
        assert await bench.finish() == first.envelope.id
        assert (await group_of(bench, opened.group)).joined == 0
        assert await bench.finish() == last.envelope.id
        assert (await group_of(bench, opened.group)).state is GroupState.MET

    async def test_a_member_that_is_a_continuation_waits_for_both(self, bench: Bench) -> None:
        opened, upstream = open_group(2), publish(queue="mail")
        first, second = (publish(after=After(upstream.envelope.id), member=Member(opened.group, n)) for n in (0, 1))
        await bench.apply(upstream, opened, first, second)
        await bench.finish(queues={"mail": 1})
        assert (await bench.record(first.envelope.id)).held
        assert await bench.leased_ids(9) == []
        await bench.apply(SealGroup(opened.group))
        assert await bench.leased_ids(9) == [first.envelope.id, second.envelope.id]

    async def test_a_member_whose_key_is_taken_is_cancelled_and_has_its_place(self, bench: Bench) -> None:
        await bench.put(unique=UniqueKey("k"), queue="mail")
        opened = open_group(2)
        double = publish(unique=UniqueKey("k"), member=Member(opened.group, 0))
        await bench.apply(opened, double, publish(member=Member(opened.group, 1)))
        assert await states(bench, double.envelope.id) == [TaskState.CANCELLED]
        found = await group_of(bench, opened.group)
        assert (found.filled, found.joined, found.succeeded) == (2, 1, 0)

    async def test_a_member_replayed_before_the_seal_is_held_again(self, bench: Bench) -> None:
        group, ids = await fill(bench, 1, seal=False)
        await bench.apply(Cancel(ids[0]))
        await bench.apply(Replay(ids[0]))
        assert (await bench.record(ids[0])).held
        assert await bench.leased_ids(9) == []
        assert (await group_of(bench, group)).state is GroupState.OPEN

    async def test_a_group_may_be_opened_and_filled_by_the_change_that_settles(self, bench: Bench) -> None:
        delivery, opened = await bench.running(), open_group(2)
        filled = members(opened)
        await bench.apply(SUCCESS, opened, *filled, SealGroup(opened.group), fence=delivery.fence)
        assert await bench.leased_ids(9) == [write.envelope.id for write in filled]
