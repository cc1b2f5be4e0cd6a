"""What statements touch: by index, whatever the tables hold, also with plans that were made when they were empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import cast

import asyncpg
import pytest

from stem.adapters.postgres.connection import Manner
from stem.adapters.postgres.glance import lease_messages
from stem.adapters.postgres.lease import find_suspects
from stem.adapters.postgres.limited import lease_carefully
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.queries import find_records, find_results
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.write import Fenced, Writing
from stem.contracts.changes import APPLIED, Settle
from stem.contracts.store import Delivery, LeaseRequest, Store
from stem.tasks.state import TaskEvent
from stem.testing.clock import ManualClock
from stem.testing.contracts import publish
from tests.server_postgres import server_url

LIMIT = 100


class Counted:
    """A connection as the store has it, in one transaction, and how many rows were fetched from tables in it."""

    def __init__(self, connection: asyncpg.Connection, book: Book) -> None:
        self.connection = connection
        self.book = book
        self._requests = 0

    async def lease(self) -> tuple[Delivery, ...]:
        self._requests += 1
        nonce = f"request-{self._requests}"
        request = LeaseRequest(request_id=nonce, worker="w", fingerprint="f", queues={"default": 1}, limit=LIMIT)
        asking = await lease_messages(self.connection, self.book, request, {})
        if asking.limited:
            await lease_carefully(cast("Line", self), self.book, asking)
        return asking.answer().deliveries

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[object]]) -> object:
        """Stands for a line: what one would do in a transaction of its own is done in this one."""
        return await work(self.connection)

    run_in_transaction = run

    async def settle(self, deliveries: tuple[Delivery, ...]) -> None:
        members = [Fenced(delivery.fence, 1, Settle(TaskEvent.SUCCEEDED, b"1")) for delivery in deliveries]
        writing = Writing(self.connection, self.book)
        assert await writing.consume(members, linked=True) == [APPLIED] * len(members)
        await writing.free()

    async def publish(self, count: int, priority: int = 9, key: str | None = None) -> None:
        writes = [publish(priority=priority, rate_key=key, concurrency_key=key) for _ in range(count)]
        await Writing(self.connection, self.book).publish(writes)

    async def fill_sides(self, first: int, keys: int) -> None:
        """For each of so many keys allowances that are used, and ten messages that stand aside."""
        schema, last = self.book.schema, first + keys - 1
        await self.connection.execute(
            f"INSERT INTO {schema}.allowances (kind, shared, key, used) "
            f"SELECT k.kind, 'tests.task', 'key ' || i, 1 FROM generate_series({first}, {last}) AS i, "
            "(VALUES ('rate'), ('concurrency')) AS k (kind)"
        )
        await self.connection.execute(
            f"INSERT INTO {schema}.gates (id, queue, name, rate_key, concurrency_key, opens_at) "
            "SELECT i, 'default', 'tests.task', 'key ' || i, 'key ' || i, CASE WHEN i % 2 = 0 THEN 1::bigint << 60 END "
            f"FROM generate_series({first}, {last}) AS i"
        )
        await self.connection.execute(
            f"INSERT INTO {schema}.side (seq, since, due, priority, size, gate, queue, state) "
            "SELECT 10000000 + 10 * i + j, j, j, 0, 100, i, 'default', 'queued' "
            f"FROM generate_series({first}, {last}) AS i, generate_series(0, 9) AS j"
        )

    async def fill(self, waiting: int) -> None:
        """Messages in line behind the others; what is not leased needs no record."""
        await self.connection.execute(
            f"INSERT INTO {self.book.schema}.line (seq, due, priority, size, queue, state)"
            "SELECT 1000000 + i, 2000000 + i / 1000, i % 3, 100, 'default', 'queued'"
            f"FROM generate_series(1, {waiting}) AS i"
        )

    async def fetched(self, *, whole: frozenset[str] = frozenset()) -> int:
        """Rows fetched so far. None may come from reading a whole table, except these."""
        rows = await self.connection.fetch(
            "SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE schemaname = $1",
            self.book.schema,
        )
        assert {row[0]: row[1] for row in rows if row[1] and row[0] not in whole} == {}
        return sum(int(row[2] or 0) for row in rows)


@pytest.fixture
async def counted(store: Store, url: str, clock: ManualClock) -> AsyncIterator[Counted]:
    book = Book(url.rpartition("schema=")[2], clock, "test")
    connection = await asyncpg.connect(server_url(), server_settings=Manner().settings)
    counted = Counted(connection, book)
    await counted.lease()  # so that all plans are those of empty tables
    await counted.settle(())
    await counted.publish(0)
    async with connection.transaction():
        yield counted
    await connection.close()


async def _cost_of_a_claim(counted: Counted, waiting: int) -> int:
    await counted.fill(waiting)
    await counted.publish(LIMIT)
    before = await counted.fetched()
    assert len(await counted.lease()) == LIMIT
    return await counted.fetched() - before


async def test_a_claim_on_a_million_waiting_messages_touches_no_more_than_twice_what_one_on_a_thousand_does(
    counted: Counted,
) -> None:
    few = await _cost_of_a_claim(counted, 1_000)
    many = await _cost_of_a_claim(counted, 1_000_000)
    assert LIMIT <= few <= many <= 2 * few


async def test_settling_touches_each_task_a_few_times_whatever_the_tables_hold(counted: Counted) -> None:
    await counted.publish(5_000)
    deliveries = await counted.lease()
    before = await counted.fetched()
    await counted.settle(deliveries)
    assert await counted.fetched() - before <= 3 * LIMIT


async def _cost_among_limits(counted: Counted, first: int, keys: int) -> int:
    """Of a call that gives all it may and one that may give no more, of the ends, and of one that lets others back."""
    await counted.fill_sides(first, keys)
    await counted.publish(2 * LIMIT, key="mine")
    before = await counted.fetched()
    deliveries = await counted.lease()
    assert (len(deliveries), await counted.lease()) == (LIMIT, ())
    await counted.settle(deliveries)
    deliveries = await counted.lease()
    assert len(deliveries) == LIMIT
    await counted.settle(deliveries)
    return await counted.fetched() - before


async def test_judging_touches_no_more_where_many_stand_aside(counted: Counted) -> None:
    await counted.connection.execute(
        f"INSERT INTO {counted.book.schema}.limits (name, shared, interval, tolerance, concurrency) "
        f"VALUES ('tests.task', 'tests.task', 2, 1000000, {LIMIT})"
    )
    await _cost_among_limits(counted, 1, 1)
    few = await _cost_among_limits(counted, 2, 10)
    many = await _cost_among_limits(counted, 12, 20_000)
    assert LIMIT <= few <= many <= 2 * few


async def test_suspects_are_looked_for_among_what_is_leased_only(counted: Counted) -> None:
    await counted.publish(5_000)
    await counted.lease()
    before = await counted.fetched()
    await find_suspects(counted.connection, counted.book)
    assert await counted.fetched(whole=frozenset({"leases"})) - before <= 2 * LIMIT


Look = Callable[[Counted, Sequence[str]], Awaitable[set[str]]]


async def _find_results(counted: Counted, ids: Sequence[str]) -> set[str]:
    return set(await find_results(counted.connection, counted.book, ids, even_expired=False))


async def _find_records(counted: Counted, ids: Sequence[str]) -> set[str]:
    return set(await find_records(counted.connection, counted.book, ids))


@pytest.mark.parametrize("look", [_find_results, _find_records])
async def test_who_asks_for_ids_reads_no_others_however_many_there_are(counted: Counted, look: Look) -> None:
    await look(counted, [])
    await counted.publish(5_000)
    ids = [delivery.fence.task_id for delivery in await counted.lease()]
    before = await counted.fetched()
    assert await look(counted, ids) == set(ids)
    assert await counted.fetched() - before <= 2 * LIMIT
