"""A PostgreSQL server that is not there: at the start, when something is enqueued, and at the end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from stem import Stem
from stem.adapters.postgres import open_store
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.errors import StoreUnavailable
from stem.stores.committer import Committer
from stem.testing.contracts import publish
from tests.scenarios.support.jobs import WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.postgres import fresh_url
from tests.scenarios.support.yard import Yard
from tests.server_postgres import PostgresServer, start_server
from tests.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("journal")]

COMMAND = (sys.executable, "-c", "from stem.cli.main import main; main()")
REGISTRY = "tests.scenarios.support.jobs:registry"
SECOND = 1_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = start_server("fsync=off")
    yield server
    server.remove()


@pytest.fixture
def url(server: PostgresServer) -> str:
    if server.process is None:
        server.start()
    return fresh_url(server)


@pytest.mark.parametrize(
    "words",
    [("health",), ("worker", REGISTRY), ("jobs", "ls"), ("migrate",)],
    ids=["health", "worker", "jobs", "migrate"],
)
def test_a_command_without_a_server_ends_in_four_and_names_the_place_and_what_to_do(words: tuple[str, ...]) -> None:
    place = f"127.0.0.1:{free_port()}"
    url = f"postgresql://stem:s3cret@{place}/shop"
    done = subprocess.run([*COMMAND, *words, "--url", url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4, done.stderr
    assert "STEM-E031" in done.stderr
    assert place in done.stderr
    assert "Check that it runs" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


async def test_what_is_enqueued_without_a_server_is_an_error_in_time_and_nothing_is_stored(
    server: PostgresServer, url: str
) -> None:
    store = await open_store(url, StoreOptions())
    committer = Committer(store, clock=SystemClock(), retry_for=SECOND // 2)
    await asyncio.to_thread(server.stop)
    with pytest.raises(StoreUnavailable, match="outcome unknown"):
        await committer.commit(Change((publish(),)))
    await asyncio.to_thread(server.start)
    assert await store.queues() == ()
    await committer.aclose()
    await store.aclose()


async def test_what_is_enqueued_while_the_server_is_away_is_accepted_when_it_is_back_in_time(
    server: PostgresServer, url: str
) -> None:
    store = await open_store(url, StoreOptions())
    committer = Committer(store, clock=SystemClock())
    await asyncio.to_thread(server.stop)
    enqueuing = asyncio.ensure_future(committer.commit(Change((publish(),))))
    await asyncio.to_thread(server.start)
    assert await enqueuing == APPLIED
    await committer.aclose()
    await store.aclose()


async def test_a_worker_is_stopped_without_its_server_and_what_it_held_is_run_by_the_next_one(
    server: PostgresServer, url: str, yard: Yard, journal: Journal
) -> None:
    yard.url = url
    async with Stem(url) as stem:
        handle = await WORK.enqueue(stem, 0.0)
        worker = yard.start("--drain", "0s")
        await handle.result(timeout=timedelta(seconds=60))
        accepted = await WORK.options(delay=timedelta(seconds=1)).enqueue(stem, 0.0)
        await asyncio.to_thread(server.stop, signal.SIGQUIT)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code(within=30) == 0
        assert "Traceback" not in worker.said()
        await asyncio.to_thread(server.start)
        yard.start()
        await assert_each_ended_once([handle, accepted], stem, journal)
