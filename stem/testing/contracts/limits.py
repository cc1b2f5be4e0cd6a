"""Limits: declared by workers, kept by every lease call."""

from __future__ import annotations

from stem.contracts.limits import MOST_MOVED, Room, TaskLimit
from stem.contracts.store import Store
from stem.testing.contracts.allowances import (
    NAME,
    allow,
    ask_once,
    limit,
    limited,
    occupy,
    publish_many,
    room,
)
from stem.testing.contracts.asides import AsideContract
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.holders import HolderContract
from stem.testing.contracts.rates import RateContract

__all__ = ["DeclaringContract", "LimitsContract"]


async def _declared(store: Store) -> list[TaskLimit]:
    return list(await store.limits())


class DeclaringContract(Contract):
    """`Limits.declare_limits`, `Limits.limits` and `Limits.room`."""

    async def test_limits_are_listed_by_name(self, bench: Bench) -> None:
        declared = [limit("10/s", name="b"), limit(None, 3, name="a", shared="b"), limit("7/h", 1, name="c")]
        await bench.store.declare_limits(declared)
        assert await _declared(bench.store) == [declared[1], declared[0], declared[2]]

    async def test_a_later_declaration_replaces_the_earlier_one_and_leaves_other_names(self, bench: Bench) -> None:
        await bench.store.declare_limits([limit("10/s", 2, name="a"), limit("10/s", name="b")])
        await allow(bench, concurrency=5, name="a")
        assert await _declared(bench.store) == [limit(None, 5, name="a"), limit("10/s", name="b")]

    async def test_a_name_declared_without_rate_and_concurrency_has_no_limit_any_more(self, bench: Bench) -> None:
        await allow(bench, "1/h", 1)
        await allow(bench)
        assert await _declared(bench.store) == []
        assert len(await publish_many(bench, 3)) == len(await bench.leased_ids(5)) == 3
        assert await room(bench) == Room()

    async def test_a_name_without_a_limit_has_room_without_end(self, bench: Bench) -> None:
        await allow(bench, "1/h", 1)
        assert await room(bench, "other") == Room()

    async def test_limits_hold_at_every_handle(self, bench: Bench, other: Store) -> None:
        declared = await allow(bench, concurrency=1)
        await publish_many(bench, 3)
        assert await _declared(other) == [declared]
        assert len(await ask_once(other, 5)) == 1
        assert await bench.leased_ids(5) == []
        assert await other.room(NAME) == Room(holders=1, concurrency=1)

    async def test_a_declaration_holds_for_the_next_lease_call_of_every_handle(
        self, bench: Bench, other: Store
    ) -> None:
        await publish_many(bench, 3)
        assert len(await ask_once(other, 1)) == 1
        await allow(bench, concurrency=1)
        assert len(await ask_once(other, 5)) == 1
        await other.declare_limits([limit()])
        assert len(await bench.leased_ids(5)) == 1

    async def test_limits_of_one_namespace_are_none_in_the_other(self, bench: Bench, foreign: Store) -> None:
        await allow(bench, concurrency=1)
        assert await _declared(foreign) == []

    async def test_a_limit_that_is_declared_holds_for_what_waits_already(self, bench: Bench) -> None:
        ids = await publish_many(bench, 3)
        await allow(bench, concurrency=2)
        assert await bench.leased_ids(5) == ids[:2]

    async def test_what_stands_aside_is_judged_anew_when_another_limit_is_declared(self, bench: Bench) -> None:
        _, ids = await occupy(bench, 4)
        await allow(bench, concurrency=3)
        assert await bench.leased_ids(5) == ids[:2]
        assert await bench.leased_ids(5) == []
        await allow(bench)
        assert await bench.leased_ids(5) == ids[2:]

    async def test_who_waits_for_the_queue_is_woken_when_another_limit_is_declared(self, bench: Bench) -> None:
        await occupy(bench)
        with Ear(bench.store) as ear:
            await allow(bench, concurrency=2)
            await ear.hears_of_queue("default")

    async def test_who_waits_at_another_handle_is_woken_when_another_limit_is_declared(
        self, bench: Bench, other: Store
    ) -> None:
        await occupy(bench)
        with Ear(other) as ear:
            await allow(bench)
            await ear.hears_of_queue("default")

    async def test_declaring_what_holds_already_wakes_nobody(self, bench: Bench) -> None:
        await occupy(bench)
        with Ear(bench.store) as ear:
            await allow(bench, concurrency=1)
            await bench.put(queue="mail")
            await ear.hears_of_queue("mail")
            assert not any("default" in notice.queues for notice in ear.notices)

    async def test_a_lower_concurrency_lets_nobody_start_before_enough_have_ended(self, bench: Bench) -> None:
        await allow(bench, concurrency=3)
        ids = await publish_many(bench, 5)
        deliveries = (await bench.lease(3)).deliveries
        await allow(bench, concurrency=1)
        for delivery in deliveries:
            assert await bench.leased_ids(5) == []
            await bench.apply(SUCCESS, fence=delivery.fence)
        assert await bench.leased_ids(5) == ids[3:4]

    async def test_a_name_that_shares_another_allowance_from_now_on_waits_for_that_one(self, bench: Bench) -> None:
        _, ids = await occupy(bench, 2)
        await allow(bench, concurrency=1, name="new")
        holder = await bench.running(name="new")
        await allow(bench, concurrency=1, shared="new")
        assert await bench.leased_ids(5) == []
        assert await limited(bench) == set(ids)
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.leased_ids(5) == ids[:1]

    async def test_a_name_that_shares_an_allowance_no_more_does_not_wait_behind_one_that_does(
        self, bench: Bench
    ) -> None:
        await bench.store.declare_limits([limit(None, 1), limit(None, 1, name="old", shared=NAME)])
        await bench.running()
        await publish_many(bench, MOST_MOVED + 1, priority=9)
        task_id = await bench.put(name="old")
        while (await bench.lease(1)).next_due == 0:
            pass
        await allow(bench, name="old")
        assert await bench.leased_ids(5) == [task_id]
        assert (await bench.lease(5)).next_due is None

    async def test_a_name_that_shares_an_allowance_no_more_comes_back_with_who_has_a_place_in_it(
        self, bench: Bench
    ) -> None:
        await bench.store.declare_limits([limit(None, 1), limit(None, 1, name="old", shared=NAME)])
        holder = await bench.running()
        first, _ = [await bench.put(priority=9, rate_key=key) for key in ("a", "b")]
        other = await bench.put(name="old")
        assert await bench.leased_ids(5) == []
        await allow(bench, name="old")
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.leased_ids(5) == [first, other]

    async def test_a_limit_of_one_name_is_none_for_another(self, bench: Bench) -> None:
        await allow(bench, "1/h", 1)
        await publish_many(bench, 2)
        others = [await bench.put(name="other") for _ in range(3)]
        assert (await bench.leased_ids(9))[1:] == others


class LimitsContract(DeclaringContract, RateContract, HolderContract, AsideContract):
    """All that `Limits` promises."""
