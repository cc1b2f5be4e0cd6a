"""Groups, counts and broadcasts where many are at it at once, over several connections of one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.adapters.postgres.connection import Manner
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.weave import publish_linked
from stem.adapters.postgres.write import Writing
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, OpenGroup, Publish, SealGroup, Settle
from stem.contracts.queries import QueueCount
from stem.contracts.store import LeaseRequest, Store
from stem.ids import new_id
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskEvent, TaskState
from stem.testing.clock import ManualClock
from stem.testing.contracts import publish
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import server_url

SIZE = 60


@pytest.fixture
async def stores(url: str) -> AsyncIterator[list[Store]]:
    """Several stores of one schema, by the server's clock."""
    stores = [await open_store(url, StoreOptions(clock=SystemClock())) for _ in range(3)]
    yield stores
    for store in stores:
        await store.aclose()


@pytest.fixture
async def admin(store: Store, url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, which sees the tables of the schema by their names."""
    connection = await asyncpg.connect(server_url(), server_settings={"search_path": url.rpartition("schema=")[2]})
    yield connection
    await connection.close()


def chord(group: str) -> list[Publish | OpenGroup | SealGroup]:
    members = [publish(member=Member(group, place)) for place in range(SIZE)]
    body = publish(id="body", queue="bodies", after=After(group, "group"))
    return [OpenGroup(group=group, size=SIZE), *members, SealGroup(group), body]


async def test_a_continuation_that_is_known_can_be_published_again_while_somebody_ends_what_it_waits_for(
    stores: list[Store], admin: asyncpg.Connection
) -> None:
    assert await stores[0].commit([Change(tuple(chord("g")))]) == [APPLIED]
    async with admin.transaction():
        await admin.fetch("SELECT FROM tasks WHERE id = 'body' FOR UPDATE")
        again = Change((publish(id="body", queue="bodies", after=After("g", "group")),))
        assert await stores[1].commit([again]) == [APPLIED]


async def test_workers_who_settle_members_at_the_same_time_close_the_group_once(stores: list[Store]) -> None:
    assert await stores[0].commit([Change(tuple(chord("g")))]) == [APPLIED]
    await asyncio.gather(*(_work(store) for store in stores * 2))
    group = await stores[0].group("g")
    assert group is not None
    assert (group.state, group.joined, group.succeeded) == (GroupState.MET, SIZE, SIZE)
    record = (await stores[0].get(["body"]))["body"]
    assert (record.state, record.held) == (TaskState.QUEUED, False)


async def _work(store: Store) -> None:
    while True:
        request = LeaseRequest(request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=7)
        deliveries = (await store.lease(request)).deliveries
        if not deliveries:
            return
        ends = [Change((Settle(TaskEvent.SUCCEEDED),), delivery.fence) for delivery in deliveries]
        assert await store.commit(ends) == [APPLIED] * len(ends)


async def test_the_same_published_by_two_at_once_is_done_again_by_the_one_who_was_late(
    store: Store, url: str, clock: ManualClock
) -> None:
    change = Change((OpenGroup(group="g", size=1), publish(member=Member("g", 0))))
    connection = await asyncpg.connect(server_url(), server_settings=Manner().settings)
    open_transaction = connection.transaction()
    await open_transaction.start()
    writing = Writing(connection, Book(url.rpartition("schema=")[2], clock, "test"), "never")
    assert await publish_linked(writing, [change]) == [APPLIED]
    late = asyncio.ensure_future(store.commit([change]))
    await eventually(lambda: _is_waited_for(url), what="the late one waits")
    await open_transaction.commit()
    await connection.close()
    assert await late == [APPLIED]
    group = await store.group("g")
    assert group is not None
    assert group.filled == 1


async def _is_waited_for(url: str) -> bool:
    schema = url.rpartition("schema=")[2]
    connection = await asyncpg.connect(server_url())
    waits = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'", schema
    )
    await connection.close()
    return bool(waits)


async def test_a_broadcast_waits_for_the_one_before_it_and_so_never_appears_behind_it(
    store: Store, admin: asyncpg.Connection, url: str
) -> None:
    before = await store.broadcast_position()
    open_transaction = admin.transaction()
    await open_transaction.start()
    await admin.execute("UPDATE positions SET position = position + 1")
    said = asyncio.ensure_future(store.broadcast("news", b"2", message_id="2"))
    await eventually(lambda: _is_waited_for(url), what="the second one waits")
    await admin.execute(
        "INSERT INTO broadcasts (position, id, channel, body, at, keep_until)"
        "SELECT position, '1', 'news', '1', 0, 9e15::bigint FROM positions"
    )
    await open_transaction.commit()
    await said
    heard = await store.broadcasts(["news"], after=before, limit=9)
    assert [(message.position - before, message.id) for message in heard] == [(1, "1"), (2, "2")]


async def test_who_counts_reads_a_few_rows_whatever_was_published(store: Store, admin: asyncpg.Connection) -> None:
    for _ in range(800):
        await store.commit([Change((publish(queue="q", name="n"),))])
    counted = (QueueCount("q", {TaskState.QUEUED: 800}, (await store.queues())[0].oldest_due),)
    assert await store.queues() == counted
    assert await store.task_names() == {"n": 800}
    await store.retain(1)
    assert await admin.fetchval("SELECT count(*) FROM tallies") == 2
    assert await store.queues() == counted


async def test_counts_are_put_together_by_who_finds_many(store: Store, admin: asyncpg.Connection) -> None:
    await store.commit([Change((publish(queue="q", name="n"),))])
    await admin.execute(
        "INSERT INTO tallies (queue, state, delta) SELECT 'q', 'queued', 1 FROM generate_series(1, 1001)"
    )
    assert (await store.queues())[0].counts == {TaskState.QUEUED: 1002}
    assert await admin.fetchval("SELECT count(*) FROM tallies") == 2
    assert (await store.queues())[0].counts == {TaskState.QUEUED: 1002}
