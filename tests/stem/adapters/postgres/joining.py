"""What the tests of transactions share: connections beside those of the store, and what they wait for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from tests.callers import Database
from tests.scenarios.support.waiting import eventually

__all__ = ["connected", "schema_of", "waits_for_a_lock"]


def schema_of(url: str) -> str:
    """The schema that a URL names."""
    return url.rpartition("schema=")[2]


@asynccontextmanager
async def connected(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of asyncpg to where the orders are."""
    connection = await asyncpg.connect(database.driver)
    yield connection
    await connection.close()


async def waits_for_a_lock(database: Database) -> None:
    """Return when some connection waits for the end of a transaction."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with connected(database) as connection:
        await eventually(lambda: connection.fetchval(waiting), what="somebody waits for a lock")
