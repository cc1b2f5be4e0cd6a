"""What an idle store asks of its server, and what it need not ask."""

from __future__ import annotations

from collections import Counter

from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench
from stem.testing.contracts.heartbeats import BEAT


async def test_where_nothing_was_leased_leases_are_looked_at_every_second_time_only(
    bench: Bench, clock: ManualClock, asked: Counter[str]
) -> None:
    for _ in range(4):
        assert await bench.store.suspects() == ()
        clock.advance(2)
    assert asked["suspects"] == 2


async def test_a_lease_given_after_a_look_that_found_none_is_a_suspect_in_time(
    bench: Bench, clock: ManualClock
) -> None:
    assert await bench.store.suspects() == ()
    delivery = await bench.running()
    clock.advance(2)
    assert await bench.store.suspects() == ()
    clock.advance(delivery.lease / 3e6 - 1)
    (suspect,) = await bench.store.suspects()
    assert suspect.fence == delivery.fence


async def test_while_something_is_leased_every_look_asks(bench: Bench, clock: ManualClock, asked: Counter[str]) -> None:
    await bench.running()
    for _ in range(4):
        await bench.store.suspects()
        clock.advance(0.5)
    assert asked["suspects"] == 4


async def test_the_first_sign_of_life_makes_leases_and_outcomes_ready_and_gives_nothing_away(
    bench: Bench, asked: Counter[str]
) -> None:
    task = await bench.put()
    await bench.store.beat(BEAT)
    assert (asked["glance"], asked["consume"]) == (1, 1)
    await bench.store.beat(BEAT)
    assert (asked["glance"], asked["consume"]) == (1, 1)
    assert await bench.leased_ids() == [task]
