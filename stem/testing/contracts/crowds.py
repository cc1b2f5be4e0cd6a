"""Groups and continuations under many hands: large ones, and ends at the same time."""

from __future__ import annotations

import asyncio

from stem.contracts.changes import Cancel, Change, SealGroup
from stem.contracts.store import Store
from stem.tasks.links import After, GroupPolicy, GroupState
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, publish
from stem.testing.contracts.lineups import chord, fill, group_of, members, of_group, open_group

__all__ = ["CrowdContract"]

MANY, CHUNK = 10_000, 500


class CrowdContract(Contract):
    """Sizes and races."""

    async def test_a_group_of_10000_members_takes_a_bounded_number_of_calls(self, bench: Bench) -> None:
        opened = open_group(MANY)
        filled, body = members(opened), publish(after=of_group(opened.group))
        await bench.apply(opened, body)
        for start in range(0, MANY, CHUNK):
            await bench.apply(*filled[start : start + CHUNK])
        await bench.apply(SealGroup(opened.group))
        for _ in range(0, MANY, CHUNK):
            deliveries = (await bench.lease(CHUNK)).deliveries
            assert len(deliveries) == CHUNK
            await bench.store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
        assert (await group_of(bench, opened.group)).joined == MANY
        assert await bench.leased_ids(9) == [body.envelope.id]
        last = await bench.store.members(opened.group, limit=CHUNK, after=MANY - CHUNK - 1)
        assert last == tuple((place, filled[place].envelope.id) for place in range(MANY - CHUNK, MANY))

    async def test_members_that_end_in_concurrent_commits_let_the_continuation_go_exactly_once(
        self, bench: Bench
    ) -> None:
        await _end_at_once(bench, (bench.store,))

    async def test_members_that_end_through_two_handles_let_the_continuation_go_exactly_once(
        self, bench: Bench, other: Store
    ) -> None:
        await _end_at_once(bench, (bench.store, other))

    async def test_a_settle_sent_through_two_handles_at_once_lets_the_continuation_go_once(
        self, bench: Bench, other: Store
    ) -> None:
        first = await bench.put()
        second = await bench.put(after=After(first))
        change = Change((SUCCESS,), (await bench.delivery()).fence)
        await asyncio.gather(*(store.commit([change]) for store in (bench.store, other) * 3))
        assert await bench.finish_all() == [second]

    async def test_a_continuation_published_while_its_upstream_ends_is_never_left_behind(
        self, bench: Bench, other: Store
    ) -> None:
        for end, state in ((SUCCESS, TaskState.SUCCEEDED), (FAILURE, TaskState.CANCELLED)) * 5:
            delivery = await bench.running()
            write = publish(after=After(delivery.fence.task_id))
            await asyncio.gather(bench.store.commit([Change((end,), delivery.fence)]), other.commit([Change((write,))]))
            await bench.finish_all()
            assert await bench.state(write.envelope.id) is state

    async def test_a_group_sealed_while_its_members_end_has_its_answer(self, bench: Bench, other: Store) -> None:
        for _ in range(5):
            group, ids = await fill(bench, 8, "settled", seal=False)
            body = await bench.put(after=of_group(group))
            seal = other.commit([Change((SealGroup(group),))])
            await asyncio.gather(*(bench.apply(Cancel(task_id)) for task_id in ids), seal)
            assert (await group_of(bench, group)).state is GroupState.MET
            assert await bench.finish_all() == [body]

    async def test_a_group_filled_by_many_at_once_is_filled_once(self, bench: Bench) -> None:
        opened = open_group(40)
        await bench.apply(opened)
        filled = members(opened)
        await asyncio.gather(*(bench.apply(*filled[start : start + 10]) for start in (0, 10, 20, 30, 10, 0)))
        assert (await group_of(bench, opened.group)).filled == 40
        await bench.apply(SealGroup(opened.group))
        assert len(await bench.finish_all()) == 40

    async def test_of_failures_and_successes_at_once_a_group_has_one_answer(self, bench: Bench, other: Store) -> None:
        policies: tuple[GroupPolicy, ...] = ("all", "any")
        for policy in policies:
            group, _, body = await chord(bench, 10, policy)
            deliveries = (await bench.lease(10)).deliveries
            ends = (SUCCESS, FAILURE) * 5
            stores = (bench.store, bench.store, other, other) * 3
            await asyncio.gather(
                *(
                    store.commit([Change((end,), given.fence)])
                    for store, end, given in zip(stores, ends, deliveries, strict=False)
                )
            )
            met = policy == "any"
            assert (await group_of(bench, group)).state is (GroupState.MET if met else GroupState.UNMET)
            assert await bench.finish_all() == ([body] if met else [])


async def _end_at_once(bench: Bench, stores: tuple[Store, ...]) -> None:
    group, _, body = await chord(bench, 20)
    deliveries = (await bench.lease(20)).deliveries
    changes = [Change((SUCCESS,), delivery.fence) for delivery in deliveries]
    await asyncio.gather(*(stores[n % len(stores)].commit([change]) for n, change in enumerate(changes)))
    found = await group_of(bench, group)
    assert (found.state, found.joined, found.succeeded) == (GroupState.MET, 20, 20)
    assert await bench.finish_all() == [body]
    assert (await bench.record(body)).deliveries == 1
