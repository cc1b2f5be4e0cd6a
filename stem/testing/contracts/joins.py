"""Joins: a member that ends is counted once, and the count decides by the group's policy."""

from __future__ import annotations

import pytest

from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    OpenGroup,
    Release,
    Replay,
    Reschedule,
    SealGroup,
    UniqueKey,
    Write,
)
from stem.tasks.links import After, GroupPolicy, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, publish, seconds
from stem.testing.contracts.lineups import (
    CANCELLED,
    EXPIRED,
    chord,
    fill,
    group_of,
    members,
    of_group,
    open_group,
    states,
)

__all__ = ["JoinContract"]

ENDS: list[tuple[Write, int]] = [(SUCCESS, 1), (FAILURE, 0), (CANCELLED, 0), (EXPIRED, 0), (Bury("crashed"), 0)]
S, F = SUCCESS, FAILURE
POLICIES = [
    pytest.param("all", (S, S, S), GroupState.MET, id="all and none fails"),
    pytest.param("all", (S, F), GroupState.UNMET, id="all and one fails"),
    pytest.param("settled", (S, F, F), GroupState.MET, id="settled and some fail"),
    pytest.param("settled", (F, F, F), GroupState.MET, id="settled and all fail"),
    pytest.param("any", (F, S), GroupState.MET, id="any and one succeeds"),
    pytest.param("any", (F, F, F), GroupState.UNMET, id="any and all fail"),
]


class JoinContract(Contract):
    """How a group comes to its answer."""

    @pytest.mark.parametrize(("policy", "ends", "state"), POLICIES)
    async def test_a_group_has_its_answer_with_the_join_that_decides_and_not_before(
        self, bench: Bench, policy: GroupPolicy, ends: tuple[Write, ...], state: GroupState
    ) -> None:
        group, _, body = await chord(bench, 3, policy, queue="bodies")
        for end in ends:
            assert (await group_of(bench, group)).state is GroupState.SEALED
            assert (await bench.record(body)).held
            await bench.finish(end)
        found = await group_of(bench, group)
        assert (found.state, found.joined, found.closed_at) == (state, len(ends), bench.clock.now())
        assert await bench.leased_ids(9, queues={"bodies": 1}) == ([body] if state is GroupState.MET else [])
        assert (await bench.state(body)) is (TaskState.RUNNING if state is GroupState.MET else TaskState.CANCELLED)

    @pytest.mark.parametrize(("end", "good"), ENDS, ids=[label(end) for end, _ in ENDS])
    async def test_a_member_joins_in_whatever_way_it_ends(self, bench: Bench, end: Write, good: int) -> None:
        group, _ = await fill(bench, 2, "settled")
        await bench.finish(end)
        found = await group_of(bench, group)
        assert (found.joined, found.succeeded) == (1, good)

    async def test_a_member_that_is_cancelled_while_it_waits_joins(self, bench: Bench) -> None:
        group, ids, body = await chord(bench, 2, "settled")
        for task_id in ids:
            await bench.apply(Cancel(task_id))
        assert (await group_of(bench, group)).state is GroupState.MET
        assert await bench.leased_ids(9) == [body]

    async def test_a_member_that_goes_back_does_not_join(self, bench: Bench) -> None:
        group, _ = await fill(bench, 1)
        await bench.finish(Release())
        await bench.finish(Reschedule(0, Failure("E", "m")))
        assert (await group_of(bench, group)).joined == 0

    async def test_a_continuation_of_an_unmet_group_says_so(self, bench: Bench) -> None:
        group, _, body = await chord(bench, 1)
        await bench.finish(FAILURE)
        error = (await bench.record(body)).error
        assert error is not None
        assert (error.kind, error.message) == ("UpstreamFailed", f"group {group} is {GroupState.UNMET.value}")

    async def test_a_settle_sent_again_joins_once(self, bench: Bench) -> None:
        group, _ = await fill(bench, 2)
        delivery = await bench.delivery()
        for _ in range(2):
            await bench.apply(SUCCESS, fence=delivery.fence)
        assert (await group_of(bench, group)).joined == 1

    @pytest.mark.parametrize("end", [FAILURE, Bury("crashed"), CANCELLED, EXPIRED], ids=label)
    async def test_a_replayed_member_does_not_join_again(self, bench: Bench, end: Write) -> None:
        group, ids, body = await chord(bench, 2, "settled")
        await bench.finish(end)
        await bench.apply(Replay(ids[0]))
        await bench.apply(Cancel(ids[0]))
        found = await group_of(bench, group)
        assert (found.state, found.joined, found.succeeded) == (GroupState.SEALED, 1, 0)
        await bench.finish()
        assert await bench.leased_ids(9) == [body]

    async def test_an_open_group_counts_joins_and_decides_only_from_its_seal_on(self, bench: Bench) -> None:
        group, ids = await fill(bench, 2, seal=False)
        body = await bench.put(after=of_group(group))
        await bench.apply(Cancel(ids[0]))
        found = await group_of(bench, group)
        assert (found.state, found.joined) == (GroupState.OPEN, 1)
        assert (await bench.record(body)).held
        await bench.apply(SealGroup(group))
        assert (await group_of(bench, group)).state is GroupState.UNMET
        assert await bench.state(body) is TaskState.CANCELLED

    async def test_a_group_whose_members_have_all_ended_before_the_seal_has_its_answer_at_the_seal(
        self, bench: Bench
    ) -> None:
        group, ids = await fill(bench, 2, "settled", seal=False)
        body = await bench.put(after=of_group(group))
        await bench.store.commit([Change((Cancel(task_id),)) for task_id in ids])
        await bench.apply(SealGroup(group))
        assert (await group_of(bench, group)).state is GroupState.MET
        assert await bench.leased_ids(9) == [body]

    async def test_members_cancelled_as_duplicates_join_at_once(self, bench: Bench) -> None:
        await bench.put(unique=UniqueKey("k"), queue="mail")
        opened = open_group(1, "settled")
        double = publish(unique=UniqueKey("k"), member=Member(opened.group, 0))
        body = publish(after=of_group(opened.group))
        await bench.apply(opened, double, body, SealGroup(opened.group))
        assert (await group_of(bench, opened.group)).state is GroupState.MET
        assert await bench.leased_ids(9) == [body.envelope.id]

    async def test_a_continuation_of_a_group_published_after_its_answer_counts_at_once(self, bench: Bench) -> None:
        met, _ = await fill(bench, 1)
        await bench.finish()
        unmet, _ = await fill(bench, 1)
        await bench.finish(FAILURE)
        good, bad = await bench.put(after=of_group(met)), await bench.put(after=of_group(unmet))
        assert await states(bench, good, bad) == [TaskState.QUEUED, TaskState.CANCELLED]
        assert await bench.leased_ids(9) == [good]

    async def test_a_group_may_have_several_continuations(self, bench: Bench) -> None:
        _, _, body = await chord(bench, 2)
        group, _ = await fill(bench, 1, seal=False)
        bodies = [await bench.put(after=of_group(group)) for _ in range(3)]
        await bench.apply(SealGroup(group))
        assert (await bench.finish_all())[-4:] == [body, *bodies]

    async def test_the_ends_of_two_members_in_one_batch_let_the_continuation_go_once(self, bench: Bench) -> None:
        group, _, body = await chord(bench, 2)
        deliveries = (await bench.lease(2)).deliveries
        await bench.store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
        assert (await group_of(bench, group)).joined == 2
        assert await bench.leased_ids(9) == [body]
        assert (await bench.record(body)).deliveries == 1

    async def test_in_one_batch_the_first_join_that_decides_is_the_answer(self, bench: Bench) -> None:
        group, _, body = await chord(bench, 3, "any")
        deliveries = (await bench.lease(3)).deliveries
        ends = (FAILURE, SUCCESS, FAILURE)
        await bench.store.commit([Change((end,), given.fence) for end, given in zip(ends, deliveries, strict=True)])
        found = await group_of(bench, group)
        assert (found.state, found.joined, found.succeeded) == (GroupState.MET, 2, 1)
        assert await bench.leased_ids(9) == [body]

    async def test_a_group_opened_in_a_batch_may_have_its_answer_in_it(self, bench: Bench) -> None:
        opened = open_group(2, "settled")
        filled, body = members(opened), publish(after=of_group(opened.group))
        changes: list[tuple[Write, ...]] = [
            (opened, *filled, body),
            (SealGroup(opened.group),),
            *((Cancel(w.envelope.id),) for w in filled),
        ]
        await bench.store.commit([Change(writes) for writes in changes])
        assert (await group_of(bench, opened.group)).state is GroupState.MET
        assert await bench.leased_ids(9) == [body.envelope.id]

    async def test_a_group_within_a_chain_within_a_group_passes_its_end_on(self, bench: Bench) -> None:
        outer, inner, body = await _nested(bench)
        order = await bench.finish_all(queues={"default": 1, "inner": 1})
        assert order[-1] == body
        assert len(order) == 4
        assert [(await group_of(bench, group)).state for group in (outer, inner)] == [GroupState.MET] * 2

    async def test_a_failure_deep_inside_ends_everything_that_waits_for_it(self, bench: Bench) -> None:
        outer, inner, body = await _nested(bench)
        await bench.finish(FAILURE, queues={"inner": 1})
        assert [(await group_of(bench, group)).state for group in (outer, inner)] == [GroupState.UNMET] * 2
        assert await bench.state(body) is TaskState.CANCELLED

    async def test_the_result_of_a_member_is_stored_even_if_ignored(self, bench: Bench) -> None:
        _, ids = await fill(bench, 1, ignore_result=True)
        delivery = await bench.delivery()
        assert not delivery.ignore_result
        await bench.apply(SUCCESS, fence=delivery.fence)
        found = (await bench.store.results(ids))[ids[0]]
        assert (found.result, found.ignored) == (b'"done"', False)

    async def test_a_replayed_continuation_of_a_group_waits_again_for_its_answer(self, bench: Bench) -> None:
        group, ids = await fill(bench, 1)
        body = await bench.put(after=of_group(group))
        await bench.apply(Cancel(body))
        await bench.apply(Replay(body, delay=seconds(1)))
        assert (await bench.record(body)).held
        assert await bench.finish() == ids[0]
        bench.clock.advance(1)
        assert await bench.finish(FAILURE) == body
        await bench.apply(Replay(body))
        assert await bench.leased_ids(9) == [body]

    async def test_a_continuation_of_an_unmet_group_cannot_be_replayed(self, bench: Bench) -> None:
        _, _, body = await chord(bench, 1)
        await bench.finish(FAILURE)
        await bench.refused(Replay(body))
        assert await bench.state(body) is TaskState.CANCELLED


async def _nested(bench: Bench) -> tuple[str, str, str]:
    """A group of one plain task and of a chain (a task, a group of two, a task), and a body; all of it sealed."""
    outer, inner = open_group(2), open_group(2)
    head = publish(member=Member(outer.group))
    inside = [publish(after=After(head.envelope.id), member=Member(inner.group, n), queue="inner") for n in (0, 1)]
    last = publish(after=of_group(inner.group), member=Member(outer.group, 1))
    body = publish(after=of_group(outer.group))
    plain = publish(member=Member(outer.group, 0))
    opened: tuple[OpenGroup, OpenGroup] = (outer, inner)
    await bench.apply(*opened, plain, head, *inside, last, body, SealGroup(inner.group), SealGroup(outer.group))
    for write in (plain, head):
        assert await bench.finish() == write.envelope.id
    return outer.group, inner.group, body.envelope.id
