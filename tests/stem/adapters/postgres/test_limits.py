"""What limits cost on PostgreSQL where there are none, who waits for whom, and what is left when a call dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.store import PostgresStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Cancel, Change
from stem.contracts.store import Store
from stem.errors import StoreUnavailable
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench, Ear, publish
from stem.testing.contracts.allowances import allow, limited, occupy, publish_many
from stem.testing.contracts.build import SUCCESS
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import server_url
from tests.stem.adapters.postgres.joining import schema_of

LONG = "k" * 5_000
"""More than fits into an index."""


@pytest.fixture
async def plain() -> AsyncIterator[asyncpg.Connection]:
    """Somebody else's connection to the same database."""
    connection = await asyncpg.connect(server_url())
    yield connection
    await connection.close()


@pytest.fixture
async def other(url: str, clock: ManualClock, store: Store) -> AsyncIterator[Store]:
    """Another store of the same schema, which the first one has made."""
    other = await open_store(url, StoreOptions(clock=clock))
    yield other
    await other.aclose()


@pytest.mark.parametrize("name", ["tests.task", "other"])
async def test_what_has_no_limit_is_leased_and_ended_by_a_statement_each(
    bench: Bench, asked: Counter[str], name: str
) -> None:
    if name == "other":
        await allow(bench, concurrency=1)
    await bench.lease()
    await bench.put(name=name)
    asked.clear()
    delivery = await bench.delivery()
    await bench.apply(SUCCESS, fence=delivery.fence)
    assert asked.total() == 2


async def test_who_waits_for_the_first_place_starts_though_the_call_that_let_it_back_died(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, (first, second) = await occupy(bench, 2)
    await bench.store.commit([end])
    with monkeypatch.context() as dying:
        _break(dying, "limits/choose")
        with pytest.raises(StoreUnavailable):
            await bench.lease()
    assert await limited(bench) == {second}
    await bench.apply(Cancel(first))
    bench.clock.advance(1)
    assert await bench.leased_ids(5) == [second]


def _break(monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """From now on the connection is lost at this statement."""
    fetch = Book.fetch

    async def breaking(
        self: Book, connection: asyncpg.Connection, name: str, /, **parameters: object
    ) -> list[asyncpg.Record]:
        if name == statement:
            raise ConnectionResetError
        return await fetch(self, connection, name, **parameters)

    monkeypatch.setattr(Book, "fetch", breaking)


async def test_limits_do_not_change_while_a_call_judges_by_them(
    bench: Bench, plain: asyncpg.Connection, url: str
) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"
    async with plain.transaction():
        await plain.execute(f"LOCK TABLE {schema_of(url)}.limits IN ROW SHARE MODE")
        declaring = asyncio.ensure_future(allow(bench, concurrency=1))
        await eventually(lambda: plain.fetchval(waiting, f"{schema_of(url)}.limits"))
        assert await plain.fetchval(f"SELECT count(*) FROM {schema_of(url)}.limits") == 0
    assert await bench.store.limits() == (await declaring,)


async def test_of_what_a_call_locked_and_left_others_are_told(bench: Bench, other: Store) -> None:
    await allow(bench, concurrency=1)
    await bench.running()
    await publish_many(bench, 3, priority=9)
    behind = [await bench.put(name="other") for _ in range(9)]
    with Ear(other) as ear:
        await bench.put(queue="mail")
        await ear.hears_of_queue("mail")
        ear.notices.clear()
        assert await bench.leased_ids(2) == behind[:2]
        await ear.hears_of_queue("default")


async def test_two_queues_that_share_one_rate_both_go_on(bench: Bench) -> None:
    await allow(bench, "1/s")
    for queue in ("a", "b"):
        await publish_many(bench, 20, queue=queue)
    given: list[str] = []
    for _ in range(12):
        given += [delivery.queue for delivery in (await bench.lease(5, queues={"a": 1, "b": 1})).deliveries]
        bench.clock.advance(2)
    assert (given.count("a"), given.count("b")) == (6, 6)


async def test_keys_of_any_length_have_allowances_of_their_own(bench: Bench) -> None:
    await allow(bench, "1/h", 1)
    keys = (LONG, LONG + "k", "#" + LONG)
    ids = [await bench.put(rate_key=key, concurrency_key=key) for key in keys for _ in range(2)]
    assert await bench.leased_ids(9) == ids[::2]
    assert await limited(bench) == set(ids[1::2])


@pytest.mark.parametrize("key", ["rate_key", "concurrency_key"])
async def test_a_key_that_postgresql_cannot_hold_is_refused(bench: Bench, key: str) -> None:
    write = publish(rate_key="a\0b") if key == "rate_key" else publish(concurrency_key="a\0b")
    assert await bench.refused(write) == "rejected"


async def test_allowances_whose_time_has_passed_and_holders_that_are_gone_are_forgotten(
    bench: Bench, plain: asyncpg.Connection, url: str
) -> None:
    await allow(bench, "1/m", 1)
    for key in ("a", "b"):
        await bench.put(rate_key=key, concurrency_key=key)
    holder = (await bench.lease(1)).deliveries[0]
    await bench.finish_all()
    bench.clock.advance(120)
    await bench.store.retain(9)
    kept = await plain.fetch(f"SELECT kind, key, used FROM {schema_of(url)}.allowances")
    assert [tuple(row) for row in kept] == [("concurrency", "a", 1)]
    await bench.apply(SUCCESS, fence=holder.fence)


async def test_when_nothing_stands_aside_any_more_no_gate_is_left(
    bench: Bench, plain: asyncpg.Connection, url: str
) -> None:
    end, waiting = await occupy(bench, 3)
    await bench.store.commit([end, Change((Cancel(waiting[0]),))])
    assert len(await bench.finish_all()) == 2
    assert await plain.fetchval(f"SELECT count(*) FROM {schema_of(url)}.gates") == 0


async def test_a_limit_that_was_taken_back_is_forgotten_when_nobody_stands_aside_for_it(
    bench: Bench, plain: asyncpg.Connection, url: str
) -> None:
    _, waiting = await occupy(bench)
    await allow(bench)
    assert await bench.store.limits() == ()
    assert await bench.leased_ids(5) == waiting
    await bench.store.retain(9)
    assert await plain.fetchval(f"SELECT count(*) FROM {schema_of(url)}.limits") == 0


async def test_a_transaction_of_the_caller_carries_the_keys(bench: Bench, plain: asyncpg.Connection) -> None:
    write = publish(rate_key="r", concurrency_key="c")
    joiner = await cast("PostgresStore", bench.store).joiner()
    async with plain.transaction():
        await joiner.write_async(plain, [Change((write,))], lambda verdicts: verdicts)
    record = await bench.record(write.envelope.id)
    assert (record.rate_key, record.concurrency_key) == ("r", "c")
