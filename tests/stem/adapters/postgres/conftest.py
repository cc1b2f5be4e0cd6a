"""A schema of its own for each test, on a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench
from tests.server_postgres import PostgresServer, drop_schema, postgres_url, start_server


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
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop and kill."""
    server = start_server("fsync=off")
    yield server
    server.remove()
