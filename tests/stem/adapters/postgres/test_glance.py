"""An ordinary lease is one small statement; what it cannot answer is left to the claim."""

from __future__ import annotations

from collections import Counter

import asyncpg

from stem.testing.contracts import Bench
from tests.server_postgres import server_url

MORE_THAN_IT_LOOKS_AT = 60


async def test_an_ordinary_lease_is_one_statement_whether_it_finds_something_or_not(
    bench: Bench, asked: Counter[str]
) -> None:
    assert await bench.leased_ids(3) == []
    later = await bench.put(delay=5_000_000)
    now = await bench.put()

    answer = await bench.lease(3)

    assert [delivery.fence.task_id for delivery in answer.deliveries] == [now]
    assert answer.next_due == 5_000_000
    assert (asked["glance"], asked["claim"]) == (2, 0)
    assert later not in await bench.leased_ids(3)


async def test_a_long_head_that_is_not_due_hides_nothing_that_is(bench: Bench, asked: Counter[str]) -> None:
    for _ in range(MORE_THAN_IT_LOOKS_AT):
        await bench.put(priority=9, delay=7_000_000)
    due = await bench.put(priority=1)

    assert await bench.leased_ids() == [due]
    assert asked["claim"] == 1
    assert (await bench.lease()).next_due == 7_000_000


async def test_what_others_are_taking_at_this_moment_hides_nothing_behind_it(bench: Bench, url: str) -> None:
    ids = [await bench.put() for _ in range(2 * MORE_THAN_IT_LOOKS_AT)]
    schema = url.rpartition("schema=")[2]
    other = await asyncpg.connect(server_url())
    async with other.transaction():
        taking = f"SELECT seq FROM {schema}.line ORDER BY due, seq LIMIT {MORE_THAN_IT_LOOKS_AT} FOR UPDATE"
        await other.fetch(taking)
        assert await bench.leased_ids(2) == ids[MORE_THAN_IT_LOOKS_AT:][:2]
    assert await bench.leased_ids(2) == ids[:2]
    await other.close()


async def test_what_is_found_partly_at_the_head_is_filled_up_from_behind(bench: Bench, asked: Counter[str]) -> None:
    first = await bench.put(priority=9)
    for _ in range(MORE_THAN_IT_LOOKS_AT):
        await bench.put(priority=8, delay=7_000_000)
    last = await bench.put(priority=1)

    answer = await bench.lease(3, started=2)

    assert [(d.fence.task_id, d.started) for d in answer.deliveries] == [(first, True), (last, True)]
    assert (asked["glance"], asked["claim"]) == (1, 1)
    assert (await bench.lease(3)).deliveries == ()


async def test_a_call_that_was_answered_is_answered_again(bench: Bench) -> None:
    ids = [await bench.put() for _ in range(3)]
    first = await bench.lease(2, request_id="a")

    assert (await bench.lease(2, request_id="a")).deliveries == first.deliveries
    assert await bench.leased_ids(3) == ids[2:]
