"""What an idle store asks of its server, and what it need not ask."""

from __future__ import annotations

from collections import Counter

import asyncpg
import pytest

from stem.adapters.postgres.statements import Book
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench
from tests.scenarios.support.waiting import eventually


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement was sent."""
    fetch, asked = Book.fetch, Counter[str]()

    async def counting(
        self: Book, connection: asyncpg.Connection, name: str, /, **parameters: object
    ) -> list[asyncpg.Record]:
        asked[name] += 1
        return await fetch(self, connection, name, **parameters)

    monkeypatch.setattr(Book, "fetch", counting)
    return asked


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


async def test_the_first_lease_makes_the_way_of_outcomes_ready_and_no_other_does(
    bench: Bench, asked: Counter[str]
) -> None:
    await bench.lease()
    await eventually(lambda: asked["consume"] == 1)
    await bench.lease()
    assert asked["consume"] == 1
