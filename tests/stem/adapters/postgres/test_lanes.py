"""Outcomes and publishes on a server where somebody's transaction stands in the way of one of them."""

from __future__ import annotations

import asyncio

import asyncpg

from stem.adapters.postgres import open_store
from stem.app import Stem
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Settle, UniqueKey
from stem.contracts.store import LeaseRequest
from stem.ids import new_id
from stem.stores.committer import Committer
from stem.tasks.state import TaskEvent
from stem.testing.contracts import publish
from tests.callers import Database
from tests.joined import unique
from tests.stem.adapters.postgres.joining import waits_for_a_lock


async def test_an_outcome_is_recorded_while_a_publish_waits_for_an_open_transaction(
    stem: Stem, database: Database, connection: asyncpg.Connection
) -> None:
    store = await open_store(database.url, StoreOptions(clock=SystemClock()))
    committer = Committer(store, clock=SystemClock())
    await committer.commit(Change((publish(queue="lanes"),)))
    asked = LeaseRequest(request_id=new_id(), worker="w", fingerprint="f", queues={"lanes": 1}, limit=1)
    (held,) = (await store.lease(asked)).deliveries
    transaction = connection.transaction()
    await transaction.start()
    await stem.enqueue(unique(7), connection=connection)

    taken = UniqueKey(f"{unique(7).name}:order-7")
    blocked = asyncio.ensure_future(committer.commit(Change((publish(unique=taken),))))
    await waits_for_a_lock(database)
    assert await committer.commit(Change((Settle(TaskEvent.SUCCEEDED, b"1"),), held.fence)) == APPLIED

    assert not blocked.done()
    await transaction.rollback()
    assert await blocked == APPLIED
    await committer.aclose()
    await store.aclose()
