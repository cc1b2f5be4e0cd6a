"""A PostgreSQL server that is stopped, crashes, cuts connections or has none left: work waits, and is never lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

from stem import Stem
from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.errors import StoreUnavailable
from stem.testing.contracts.ear import Ear
from tests.scenarios.support.jobs import WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.pauses import assert_paused_until_resumed, pause
from tests.scenarios.support.postgres import admin_of, connections, crowd, cut_connections, fresh_url
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import PostgresServer, start_server

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("journal")]

FIVE = 5.0
MINUTE = timedelta(seconds=60)
SOON = timedelta(milliseconds=300)
PATIENT = WORK.options(max_retries=20)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = start_server("fsync=off", "max_connections=30", "superuser_reserved_connections=0")
    yield server
    server.remove()


@pytest.fixture
def url(server: PostgresServer) -> str:
    return fresh_url(server)


async def stop_and_start(server: PostgresServer, how: signal.Signals) -> None:
    await asyncio.to_thread(server.stop, how)
    await asyncio.to_thread(server.start)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
async def test_a_waiting_worker_consumes_within_five_seconds_of_the_return_of_its_server(
    how: signal.Signals, server: PostgresServer, url: str
) -> None:
    async with Stem(url) as stem, stem.worker(registry):
        await WORK.enqueue_and_wait(stem, 0.0)
        accepted = await stem.enqueue_many([WORK.options(delay=SOON).call(0.0)] * 20)
        await stop_and_start(server, how)
        async with asyncio.timeout(FIVE):
            await WORK.enqueue_and_wait(stem, 0.0)
            await accepted.result()


async def test_a_queue_is_still_paused_when_everything_starts_again(server: PostgresServer, url: str) -> None:
    task_id = await pause(url)
    await stop_and_start(server, signal.SIGQUIT)
    await assert_paused_until_resumed(url, task_id)


async def storm(server: PostgresServer) -> None:
    """Everybody's connections are cut, again and again."""
    for _ in range(15):
        await cut_connections(server)
        await asyncio.sleep(0.03)


async def losses(server: PostgresServer) -> None:
    """The server goes and comes several times within three seconds."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT):
        await stop_and_start(server, how)


@pytest.mark.parametrize("fault", [storm, losses])
async def test_a_worker_loses_no_task_and_ends_none_twice_while_this_goes_on(
    fault: Callable[[PostgresServer], Awaitable[None]], server: PostgresServer, url: str, journal: Journal
) -> None:
    async with Stem(url) as stem:
        batch = await stem.enqueue_many([PATIENT.call(0.1)] * 200)
        async with stem.worker(registry, concurrency=10):
            await eventually(lambda: len(journal.ended()) >= 10)
            await fault(server)
            assert len(journal.ended()) < 200, "the fault came too late to prove anything"
            await assert_each_ended_once(batch, stem, journal)


async def test_a_server_without_a_free_connection_says_so_and_what_is_enqueued_meanwhile_runs(
    server: PostgresServer, url: str
) -> None:
    async with Stem(url) as stem, stem.worker(registry):
        async with crowd(server):
            await eventually(lambda: _is_full(url), what="a full server")
            waiting = asyncio.create_task(WORK.enqueue_and_wait(stem, 0.0))
            for _ in range(5):
                assert await _is_full(url)
        await asyncio.wait_for(waiting, 60)


async def test_a_worker_whose_connections_were_cut_and_taken_by_others_goes_on_when_they_leave(
    server: PostgresServer, url: str
) -> None:
    async with Stem(url) as stem, stem.worker(registry):
        batch = await stem.enqueue_many([WORK.options(delay=SOON).call(0.0)] * 5)
        async with admin_of(server) as admin, crowd(server):
            await eventually(lambda: _is_full(url), what="a full server")
            await admin.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'stem%'"
            )
            await eventually(lambda: _is_full(url), what="a server that is full without us")
        await batch.result(timeout=MINUTE)


async def _is_full(url: str) -> bool:
    """Whether whoever opens a store is told that no connection is free."""
    try:
        store = await open_store(url, StoreOptions())
    except StoreUnavailable as error:
        return "a free connection" in error.expected and "max_connections" in error.do
    await store.aclose()
    return False


async def test_a_worker_works_on_by_the_poll_while_nobody_can_listen_and_hears_again_when_it_can(
    server: PostgresServer, url: str
) -> None:
    async with Proxy(server.port) as wire, Stem(url) as stem:
        listening = f"{url}&listen=127.0.0.1:{wire.port}"
        async with Stem(listening) as elsewhere, elsewhere.worker(registry):
            await eventually(lambda: connections(server, "stem listener"), what="a listener")
            await wire.hang_up()
            async with asyncio.timeout(FIVE):
                await WORK.enqueue_and_wait(stem, 0.0)
            await wire.listen()
            before = wire.connections
            await eventually(lambda: wire.connections > before, what="another listener")
            await WORK.enqueue_and_wait(stem, 0.0)


async def test_a_listener_whose_connection_is_cut_again_and_again_hears_what_happens_after_the_last_time(
    server: PostgresServer, url: str
) -> None:
    async with Stem(url) as stem:
        other = await open_store(url, StoreOptions())
        with Ear(other) as ear:
            for _ in range(3):
                await eventually(lambda: cut_connections(server, "stem listener"), what="a listener")
            await eventually(lambda: connections(server, "stem listener"), what="the last listener")
            await eventually(lambda: any(notice.everything for notice in ear.notices))
            ear.notices.clear()
            await WORK.enqueue(stem, 0.0)
            await eventually(lambda: any("default" in notice.queues for notice in ear.notices), what="the notice")
        await other.aclose()
