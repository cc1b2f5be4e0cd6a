"""What follows a group begins once, when all of it has ended: whoever fails, retries, is killed, or is not there."""

from __future__ import annotations

import asyncio

import pytest

from stem.contracts.changes import Bury, Change, Reschedule, SealGroup
from stem.tasks.links import GroupState
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.build import START, SUCCESS, Bench, publish, seconds
from stem.testing.contracts.lineups import chord, fill, group_of, members, of_group, open_group, states
from tests.scenarios.support.engines import EVERYWHERE

pytestmark = pytest.mark.parametrize("engine", EVERYWHERE)

BROKEN = Failure("ConnectionError", "not now")
MANY = 2_000
AT_ONCE = 500


async def test_what_follows_an_empty_group_begins_at_once(bench: Bench) -> None:
    group, _, body = await chord(bench, 0)
    assert await bench.finish_all() == [body]
    assert (await group_of(bench, group)).state is GroupState.MET


async def test_a_member_that_fails_for_good_ends_what_waits_for_all_and_leaves_nothing_waiting(bench: Bench) -> None:
    group, ids, body = await chord(bench, 3)
    await bench.finish()
    await bench.finish(Bury("crashed", BROKEN))
    assert await bench.finish_all() == []
    assert (await group_of(bench, group)).state is GroupState.UNMET
    assert await states(bench, body, *ids[1:]) == [TaskState.CANCELLED, TaskState.FAILED, TaskState.CANCELLED]


async def test_what_accepts_failures_begins_although_a_member_failed(bench: Bench) -> None:
    _, ids, body = await chord(bench, 2, "settled")
    await bench.finish(Bury("crashed", BROKEN))
    assert await bench.finish_all() == [ids[1], body]


async def test_what_follows_waits_for_a_member_that_is_tried_again(bench: Bench) -> None:
    _, ids, body = await chord(bench, 2)
    await bench.finish(Reschedule(seconds(5), BROKEN))
    assert await bench.finish_all() == [ids[1]]
    assert await bench.state(body) is TaskState.QUEUED
    bench.clock.advance(5)
    assert await bench.finish_all() == [ids[0], body]


async def test_a_member_whose_worker_was_killed_is_run_again_and_counts_once(bench: Bench) -> None:
    group, _, body = await chord(bench, 2)
    lost = await bench.delivery()
    await bench.apply(START, fence=lost.fence)
    rescued = await bench.lose(lost)
    await bench.store.commit([Change((SUCCESS,), lost.fence), Change((SUCCESS,), rescued.fence)])
    assert (await group_of(bench, group)).joined == 1
    assert (await bench.finish_all())[-1:] == [body]


async def test_of_members_that_end_at_the_same_time_one_lets_go_what_follows(bench: Bench) -> None:
    for _ in range(5):
        _, ids, body = await chord(bench, 8)
        deliveries = (await bench.lease(8)).deliveries
        await asyncio.gather(*(bench.apply(SUCCESS, fence=delivery.fence) for delivery in deliveries))
        assert {delivery.fence.task_id for delivery in deliveries} == set(ids)
        assert await bench.finish_all() == [body]


async def test_groups_within_groups_pass_their_end_on_to_the_outermost(bench: Bench) -> None:
    outer = open_group(2)
    await bench.apply(outer)
    inner = [await fill(bench, 2, seal=False) for _ in range(2)]
    bodies = [
        publish(after=of_group(group), member=member.member)
        for (group, _), member in zip(inner, members(outer), strict=True)
    ]
    last = publish(after=of_group(outer.group))
    await bench.apply(*bodies, last)
    for group in (outer.group, *(group for group, _ in inner)):
        await bench.apply(SealGroup(group))
    done = await bench.finish_all()
    assert (len(done), done[-1]) == (7, last.envelope.id)


async def test_what_follows_thousands_of_members_begins_once_although_a_worker_dies_in_the_middle(bench: Bench) -> None:
    opened = open_group(MANY)
    filled, body = members(opened), publish(after=of_group(opened.group))
    await bench.apply(opened, body)
    for start in range(0, MANY, AT_ONCE):
        await bench.apply(*filled[start : start + AT_ONCE])
    await bench.apply(SealGroup(opened.group))
    lost = (await bench.lease(AT_ONCE)).deliveries
    while deliveries := (await bench.lease(AT_ONCE)).deliveries:
        await bench.store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
    assert await bench.state(body.envelope.id) is TaskState.QUEUED
    bench.clock.advance(60)
    rescued = await bench.take(*await bench.store.suspects())
    changes = [Change((SUCCESS,), delivery.fence) for delivery in (*lost, *rescued)]
    await bench.store.commit(changes)
    assert (await group_of(bench, opened.group)).joined == MANY
    assert await bench.finish_all() == [body.envelope.id]
