"""Concurrency: how many of a task run at once."""

from __future__ import annotations

import asyncio

import pytest

from stem.contracts.changes import Bury, Cancel, Change, Park, Release, Reschedule, Settle, Write
from stem.contracts.limits import Room
from stem.contracts.store import LeaseAnswer, Store
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure
from stem.testing.contracts.allowances import (
    NAME,
    allow,
    ask_once,
    limit,
    limited,
    occupy,
    pass_time,
    publish_many,
    room,
)
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["HolderContract"]

LATER = seconds(600)
ENDS: list[Write] = [
    SUCCESS,
    FAILURE,
    Settle(TaskEvent.CANCELLED),
    Settle(TaskEvent.EXPIRED),
    Reschedule(LATER, Failure("E", "m")),
    Release(LATER),
    Bury("crashed", Failure("E", "m")),
    Park("unknown task", "registry-1", LATER),
]


class HolderContract(Contract):
    """`TaskLimit.concurrency`, and the leases that count against it."""

    async def test_no_more_leases_stand_at_once_than_the_concurrency_of_their_task(self, bench: Bench) -> None:
        await allow(bench, concurrency=3)
        ids = await publish_many(bench, 5)
        assert await bench.leased_ids(2) == ids[:2]
        assert await bench.leased_ids(5) == ids[2:3]
        assert await bench.leased_ids(5) == []
        assert await room(bench) == Room(holders=3, concurrency=3)

    @pytest.mark.parametrize("end", ENDS, ids=label)
    async def test_a_place_comes_back_with_every_write_that_ends_a_lease(self, bench: Bench, end: Write) -> None:
        await allow(bench, concurrency=1)
        first, second, third = await publish_many(bench, 3)
        delivery = await bench.delivery()
        assert delivery.fence.task_id == first
        assert await bench.leased_ids(5) == []
        await bench.apply(end, fence=delivery.fence)
        assert await bench.leased_ids(5) == [second]
        assert await limited(bench) == {third}

    async def test_who_waits_for_the_queue_is_told_of_a_place_that_came_back(self, bench: Bench) -> None:
        end, _ = await occupy(bench)
        with Ear(bench.store) as ear:
            await bench.store.commit([end])
            await ear.hears_of_queue("default")

    async def test_who_waits_for_another_queue_is_told_of_a_place_that_came_back(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        holder = await bench.running()
        task_id = await bench.put(queue="mail")
        assert await bench.leased_ids(queues={"mail": 1}) == []
        with Ear(bench.store) as ear:
            await bench.apply(SUCCESS, fence=holder.fence)
            await ear.hears_of_queue("mail")
        assert await bench.leased_ids(queues={"mail": 1}) == [task_id]

    async def test_a_settle_sent_twice_gives_one_place_back(self, bench: Bench) -> None:
        await allow(bench, concurrency=2)
        ids = await publish_many(bench, 4)
        deliveries = (await bench.lease(2)).deliveries
        for _ in range(2):
            await bench.apply(SUCCESS, fence=deliveries[0].fence)
        assert await bench.leased_ids(5) == [ids[2]]
        assert (await room(bench)).holders == 2

    async def test_a_lost_lease_is_a_holder_until_it_is_taken_over_and_its_successor_is_one(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        delivery = await bench.running()
        waiting = await bench.put()
        bench.clock.advance(60)
        assert await bench.leased_ids(5) == []
        (rescued,) = await bench.take(await bench.suspect(delivery.fence))
        assert (await room(bench)).holders == 1
        assert await bench.leased_ids(5) == []
        await bench.apply(SUCCESS, fence=rescued.fence)
        assert await bench.leased_ids(5) == [waiting]

    async def test_a_rescue_asks_for_no_concurrency(self, bench: Bench) -> None:
        await allow(bench, concurrency=2)
        await publish_many(bench, 2)
        first, second = (await bench.lease(2)).deliveries
        await allow(bench, concurrency=1)
        bench.clock.advance(60)
        assert len(await bench.take(await bench.suspect(first.fence), await bench.suspect(second.fence))) == 2
        assert (await room(bench)).holders == 2

    async def test_a_take_sent_again_counts_no_holder_again(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        delivery = await bench.running()
        bench.clock.advance(60)
        suspect = await bench.suspect(delivery.fence)
        (rescued,) = await bench.take(suspect, request_id="take-1")
        assert await bench.take(suspect, request_id="take-1") == [rescued]
        assert (await room(bench)).holders == 1
        await bench.apply(SUCCESS, fence=rescued.fence)
        assert (await room(bench)).holders == 0

    async def test_each_key_of_a_concurrency_has_holders_of_its_own(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        ids = [await bench.put(concurrency_key=key) for key in ("a", "a", "b", None, None)]
        assert await bench.leased_ids(5) == [ids[0], ids[2], ids[3]]
        assert (await room(bench, concurrency_key="a")).holders == 1
        assert (await room(bench, concurrency_key="c")).holders == 0

    async def test_an_old_name_is_a_holder_of_what_it_shares(self, bench: Bench) -> None:
        old, new = limit(concurrency=1, name="old", shared="new"), limit(concurrency=1, name="new")
        await bench.store.declare_limits([old, new])
        holder = await bench.running(name="old")
        task_id = await bench.put(name="new")
        assert await bench.leased_ids(5) == []
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.leased_ids(5) == [task_id]

    async def test_a_lease_is_a_holder_if_a_concurrency_was_declared_when_it_was_given(self, bench: Bench) -> None:
        free = await bench.running()
        await allow(bench, concurrency=1)
        assert (await room(bench)).holders == 0
        holder = await bench.running()
        await allow(bench)
        await allow(bench, concurrency=1)
        assert (await room(bench)).holders == 1
        await bench.apply(SUCCESS, fence=free.fence)
        assert (await room(bench)).holders == 1
        await bench.apply(SUCCESS, fence=holder.fence)
        assert (await room(bench)).holders == 0

    async def test_a_lease_call_sent_again_counts_no_holder_again(self, bench: Bench) -> None:
        await allow(bench, concurrency=2)
        ids = await publish_many(bench, 3)
        first = await bench.lease(1, request_id="call-1")
        assert (await bench.lease(1, request_id="call-1")).deliveries == first.deliveries
        assert await bench.leased_ids(5) == [ids[1]]

    async def test_rate_and_concurrency_hold_together(self, bench: Bench) -> None:
        await allow(bench, "1/m", 1)
        holder = await bench.running()
        second, third = await publish_many(bench, 2)
        bench.clock.advance(120)
        assert await bench.lease(5) == LeaseAnswer((), None)
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.finish() == second
        answer = await bench.lease(5)
        assert answer.deliveries == ()
        pass_time(bench, answer.next_due or 0)
        assert await bench.leased_ids(5) == [third]

    async def test_a_place_whose_message_was_cancelled_before_it_was_leased_goes_to_the_next(
        self, bench: Bench
    ) -> None:
        end, (first, second) = await occupy(bench, 2)
        urgent = await bench.put(name="other", priority=9)
        await bench.store.commit([end])
        assert await bench.leased_ids(1) == [urgent]
        await bench.apply(Cancel(first))
        assert await bench.leased_ids(5) == [second]

    async def test_a_place_whose_message_is_parked_for_this_registry_goes_to_the_next(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        parked = await bench.running()
        await bench.apply(Park("unknown task", "registry-1", LATER), fence=parked.fence)
        holder = await bench.running()
        second = await bench.put()
        assert await bench.leased_ids(5, fingerprint="registry-2") == []
        assert await limited(bench) == {parked.fence.task_id, second}
        await bench.apply(SUCCESS, fence=holder.fence)
        given: list[str] = []
        for _ in range(3):
            given += await bench.leased_ids(5)
        assert given == [second]

    async def test_lease_calls_at_once_never_exceed_a_concurrency(self, bench: Bench) -> None:
        await _ask_at_once(bench, (bench.store,))

    async def test_lease_calls_at_once_through_two_handles_never_exceed_a_concurrency(
        self, bench: Bench, other: Store
    ) -> None:
        await _ask_at_once(bench, (bench.store, other))

    async def test_leases_and_ends_at_once_never_exceed_a_concurrency_and_lose_no_place(self, bench: Bench) -> None:
        await allow(bench, concurrency=3)
        ids = await publish_many(bench, 60)
        running = 0
        done: list[str] = []

        async def work() -> None:
            nonlocal running
            while len(done) < len(ids):
                deliveries = (await bench.lease(2)).deliveries
                running += len(deliveries)
                assert running <= 3
                await asyncio.sleep(0)
                running -= len(deliveries)
                await bench.store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
                done.extend(delivery.fence.task_id for delivery in deliveries)

        await asyncio.gather(*(work() for _ in range(6)))
        assert sorted(done) == sorted(ids)
        assert await room(bench) == Room(holders=0, concurrency=3)


async def _ask_at_once(bench: Bench, stores: tuple[Store, ...]) -> None:
    """20 calls at the same time, of which three places are free."""
    await allow(bench, concurrency=3)
    await publish_many(bench, 40)
    asked = [ask_once(stores[number % len(stores)], 2) for number in range(20)]
    given = [task_id for ids in await asyncio.gather(*asked) for task_id in ids]
    assert len(given) == 3
    assert await room(bench, NAME) == Room(holders=3, concurrency=3)
