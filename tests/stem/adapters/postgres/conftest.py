"""A schema of its own for each test, on a real server."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.adapters.postgres.statements import Book
from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench
from tests.callers import Database
from tests.server_postgres import PostgresServer, drop_schema, postgres_url, server_url, start_server
from tests.stem.adapters.postgres.joining import connected, schema_of


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    url = postgres_url()
    yield url
    await drop_schema(url)


@pytest.fixture
async def store(url: str, clock: ManualClock) -> AsyncIterator[Store]:
    store = await open_store(url, StoreOptions(clock=clock))
    yield store
    await store.aclose()


@pytest.fixture
def bench(store: Store, clock: ManualClock) -> Bench:
    return Bench(store, clock)


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


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop and kill."""
    server = start_server("fsync=off")
    yield server
    server.remove()


@pytest.fixture
async def database(url: str) -> Database:
    async with Stem(url):
        pass
    made = Database(url, server_url(), f"{schema_of(url)}.orders")
    async with connected(made) as connection:
        await connection.execute(f"CREATE TABLE {made.orders} (number integer)")
    return made


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as connection:
        yield connection


@pytest.fixture
async def stem(database: Database) -> AsyncIterator[Stem]:
    async with Stem(database.url) as stem:
        yield stem
