"""Rates: how many of a task start in a time."""

from __future__ import annotations

import asyncio
import random

import pytest

from stem.clock import Micros
from stem.contracts.changes import Park, Release, Reschedule, Write
from stem.contracts.store import Store
from stem.tasks.rates import Rate, grant, opens_at, parse_rate, tokens
from stem.tasks.status import Failure
from stem.testing.contracts.allowances import allow, ask_once, limit, pass_time, publish_many, room
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, label, seconds

__all__ = ["RateContract"]

WINDOWS = [("7/s", 7, seconds(1)), ("100/m", 100, seconds(60))]
ONE_A_MINUTE = parse_rate("1/m")
BACK: list[Write] = [Release(), Reschedule(0, Failure("E", "m")), Park("unknown task", "registry-9", seconds(60))]


def _assert_bounded(starts: list[Micros], count: int, period: Micros) -> None:
    """Of `count` + 1 starts that follow each other, the last is a period after the first."""
    assert all(late - early >= period for early, late in zip(starts, starts[count:], strict=False))


def _next_start(rate: Rate, now: Micros) -> Micros:
    """When the second of two may start, if the first does now and none did for long."""
    return opens_at(rate, grant(rate, 0, now))


class RateContract(Contract):
    """`TaskLimit.rate`, and what a lease call gives under it."""

    @pytest.mark.parametrize(("text", "count", "period"), WINDOWS, ids=["7/s", "100/m"])
    async def test_no_window_of_a_period_holds_more_starts_than_its_rate(
        self, bench: Bench, text: str, count: int, period: Micros
    ) -> None:
        chance = random.Random(text)  # noqa: S311  # a test's chance is seeded
        await allow(bench, text)
        await publish_many(bench, 4 * count)
        starts: list[Micros] = []
        for _ in range(5 * count):
            starts += [bench.clock.now() for _ in await bench.leased_ids(chance.randint(1, 20))]
            pass_time(bench, chance.choice((0, period // 40, period // count, chance.randrange(period // count))))
        assert len(starts) > count
        _assert_bounded(starts, count, period)

    @pytest.mark.parametrize(("text", "count", "period"), WINDOWS, ids=["7/s", "100/m"])
    async def test_who_comes_late_by_a_fortieth_of_the_period_still_uses_95_percent_of_a_rate(
        self, bench: Bench, text: str, count: int, period: Micros
    ) -> None:
        chance = random.Random(text)  # noqa: S311  # a test's chance is seeded
        await allow(bench, text)
        await publish_many(bench, 3 * count + 1)
        starts: list[Micros] = []
        end = bench.clock.now() + 3 * period
        while bench.clock.now() < end:
            answer = await bench.lease(5)
            starts += [bench.clock.now()] * len(answer.deliveries)
            pass_time(bench, (answer.next_due or 0) + chance.randrange(period // 40))
        _assert_bounded(starts, count, period)
        assert len(starts) >= 0.95 * 3 * count

    async def test_next_due_is_the_time_at_which_the_rate_lets_the_first_start(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        first, second = await publish_many(bench, 2)
        answer = await bench.lease(2)
        due = _next_start(ONE_A_MINUTE, bench.clock.now()) - bench.clock.now()
        assert [delivery.fence.task_id for delivery in answer.deliveries] == [first]
        assert answer.next_due == due
        pass_time(bench, due - 1)
        assert (await bench.lease(2)).next_due == 1
        pass_time(bench, 1)
        assert await bench.leased_ids(2) == [second]

    async def test_next_due_counts_the_rate_with_all_that_waits(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        await publish_many(bench, 2)
        await bench.finish()
        await bench.put(name="other", delay=seconds(3))
        assert (await bench.lease(2)).next_due == seconds(3)
        await bench.put(queue="mail", name="other", delay=seconds(90))
        assert (await bench.lease(2, queues={"mail": 1})).next_due == seconds(90)

    async def test_each_key_of_a_rate_has_an_allowance_of_its_own(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        ids = [await bench.put(rate_key=key) for key in ("a", "a", "b", None, None)]
        assert await bench.leased_ids(5) == [ids[0], ids[2], ids[3]]

    async def test_an_old_name_uses_the_allowance_that_it_shares(self, bench: Bench) -> None:
        old, new = limit("1/m", name="old", shared="new"), limit("1/m", name="new")
        await bench.store.declare_limits([old, new])
        first = await bench.put(name="old")
        second = await bench.put(name="new")
        assert await bench.leased_ids(5) == [first]
        pass_time(bench, ONE_A_MINUTE.interval)
        assert await bench.leased_ids(5) == [second]

    async def test_a_rate_holds_over_all_queues(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        await bench.put(queue="a")
        await bench.put(queue="b")
        assert len(await bench.leased_ids(5, queues={"a": 1, "b": 1})) == 1
        assert await bench.leased_ids(5, queues={"b": 1}) + await bench.leased_ids(5, queues={"a": 1}) == []

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_what_comes_back_has_used_its_allowance(self, bench: Bench, back: Write) -> None:
        await allow(bench, "1/m")
        delivery = await bench.running()
        await bench.apply(back, fence=delivery.fence)
        answer = await bench.lease(5)
        assert answer.deliveries == ()
        pass_time(bench, answer.next_due or 0)
        assert await bench.leased_ids(5) == [delivery.fence.task_id]

    async def test_a_rescue_asks_for_no_rate(self, bench: Bench) -> None:
        await allow(bench, "1/h")
        delivery = await bench.running()
        before = await room(bench)
        rescued = await bench.lose(delivery)
        assert rescued.fence.task_id == delivery.fence.task_id
        assert await room(bench) == before

    async def test_a_lease_call_sent_again_uses_no_allowance_again(self, bench: Bench) -> None:
        await allow(bench, "60/m")
        await publish_many(bench, 3)
        first = await bench.lease(1, request_id="call-1")
        before = await room(bench)
        pass_time(bench, seconds(5))
        assert (await bench.lease(1, request_id="call-1")).deliveries == first.deliveries
        assert await room(bench) == before

    async def test_room_says_from_when_on_one_more_may_start(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        now = bench.clock.now()
        assert ((await room(bench)).opens_at or 0) <= now
        await bench.put(rate_key="a")
        await bench.finish()
        assert (await room(bench, rate_key="a")).opens_at == _next_start(ONE_A_MINUTE, now)
        assert ((await room(bench, rate_key="b")).opens_at or 0) <= now

    async def test_what_was_used_of_a_rate_stays_used_when_another_is_declared(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        now = bench.clock.now()
        await bench.running()
        await allow(bench, "30/m")
        assert (await room(bench)).opens_at == opens_at(parse_rate("30/m"), grant(ONE_A_MINUTE, 0, now))

    async def test_an_allowance_whose_time_has_passed_is_as_if_it_had_not_been_used(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        for key in ("a", "b"):
            await bench.put(rate_key=key)
        await bench.finish_all()
        bench.clock.advance(120)
        await bench.put(rate_key="a")
        await bench.finish()
        before = await room(bench, rate_key="a")
        await bench.store.retain(100)
        assert await room(bench, rate_key="a") == before
        assert ((await room(bench, rate_key="b")).opens_at or 0) <= bench.clock.now()

    async def test_a_start_whose_message_is_parked_for_this_registry_goes_to_the_next(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        parked = await bench.running()
        await bench.apply(Park("unknown task", "registry-1", seconds(10**8)), fence=parked.fence)
        task_id = await bench.put()
        due = (await bench.lease(5, fingerprint="registry-2")).next_due or 0
        pass_time(bench, due)
        assert await bench.leased_ids(1) + await bench.leased_ids(1) == [task_id]

    async def test_lease_calls_at_once_never_exceed_a_rate(self, bench: Bench) -> None:
        await _ask_at_once(bench, (bench.store,))

    async def test_lease_calls_at_once_through_two_handles_never_exceed_a_rate(
        self, bench: Bench, other: Store
    ) -> None:
        await _ask_at_once(bench, (bench.store, other))

    async def test_a_message_that_ends_frees_nothing_of_a_rate(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        await publish_many(bench, 2)
        await bench.apply(SUCCESS, fence=(await bench.delivery()).fence)
        assert await bench.leased_ids(5) == []


async def _ask_at_once(bench: Bench, stores: tuple[Store, ...]) -> None:
    """20 calls at the same time, at three times: each time as many start as there are tokens."""
    await allow(bench, "120/m")
    await publish_many(bench, 40)
    rate, ahead = parse_rate("120/m"), 0
    for _ in range(3):
        now = bench.clock.now()
        expected = tokens(rate, ahead, now)
        ahead = grant(rate, ahead, now, expected)
        asked = [ask_once(stores[number % len(stores)], 2) for number in range(20)]
        assert sum(map(len, await asyncio.gather(*asked))) == expected > 0
        pass_time(bench, rate.tolerance + 1)
