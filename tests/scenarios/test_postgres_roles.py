"""Servers that take no writes, and one that takes over: a replica, a read-only database, a failover."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import asyncpg
import pytest

from stem import Stem
from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.contracts.queries import TaskFilter
from stem.errors import StoreReadOnly
from stem.testing.contracts import publish
from stem.testing.contracts.ear import Ear
from tests.scenarios.support.jobs import WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.postgres import admin_of, fresh_url
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import PostgresServer, start_server

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("journal")]

MINUTE = timedelta(seconds=60)


@contextmanager
def pair() -> Generator[tuple[PostgresServer, PostgresServer]]:
    """A primary, and a replica that has part in every commit before it is answered, so that nothing is lost."""
    primary = start_server("fsync=off", "wal_level=replica", "max_wal_senders=4")
    try:
        replica = primary.replica()
        yield primary, replica
        replica.remove()
    finally:
        primary.remove()


@pytest.fixture(scope="module")
def lasting() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    with pair() as servers:
        yield servers


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """The two that tests share, and two of its own for a test that lets one die."""
    if request.node.get_closest_marker("slow") is None:
        yield request.getfixturevalue("lasting")
    else:
        with pair() as servers:
            yield servers


@pytest.fixture
def primary(servers: tuple[PostgresServer, PostgresServer]) -> PostgresServer:
    return servers[0]


@pytest.fixture
def replica(servers: tuple[PostgresServer, PostgresServer]) -> PostgresServer:
    return servers[1]


@pytest.fixture
def url(primary: PostgresServer) -> str:
    return fresh_url(primary)


def at(url: str, before: PostgresServer, after: PostgresServer) -> str:
    return url.replace(f":{before.port}/", f":{after.port}/")


async def test_a_replica_answers_questions_takes_nothing_and_tells_of_what_happens(
    primary: PostgresServer, replica: PostgresServer, url: str
) -> None:
    async with Stem(url) as stem, stem.worker(registry), Stem(at(url, primary, replica)) as reading:
        handle = await WORK.enqueue(stem, 0.0)
        await eventually(lambda: _sees(reading, handle.id), what="the task on the replica")
        assert await reading.handle(handle.id).result(timeout=MINUTE) is not None
        with pytest.raises(StoreReadOnly, match="primary"):
            await WORK.enqueue(reading, 0.0)
        assert len(await stem.inspect.queues()) == 1


async def _sees(stem: Stem, task_id: str) -> bool:
    return [record.id async for record in stem.inspect.every_task(TaskFilter())] == [task_id]


async def test_on_a_replica_where_nobody_can_listen_one_connection_looks_again_and_again(
    primary: PostgresServer, replica: PostgresServer, url: str
) -> None:
    writing = await open_store(url, StoreOptions())
    await eventually(lambda: _opens(at(url, primary, replica)), what="the schema on the replica")
    reading = await open_store(at(url, primary, replica), StoreOptions())
    with Ear(reading) as ear:
        for _ in range(2):
            await writing.commit([Change((publish(),))])
            await eventually(lambda: any(notice.everything for notice in ear.notices), what="a look")
            ear.notices.clear()
        async with admin_of(replica) as admin:
            age = "SELECT clock_timestamp() - backend_start > '1 s' FROM pg_stat_activity WHERE application_name = $1"
            assert await admin.fetchval(age, "stem listener") is True
    await reading.aclose()
    await writing.aclose()


async def _opens(url: str) -> bool:
    try:
        store = await open_store(url, StoreOptions())
    except StoreReadOnly:
        return False
    await store.aclose()
    return True


async def test_an_empty_replica_is_refused_and_says_that_it_takes_no_writes(
    replica: PostgresServer,
) -> None:
    with pytest.raises(StoreReadOnly, match="primary"):
        await open_store(fresh_url(replica), StoreOptions())


@pytest.fixture
async def admin(primary: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """An administrator, who sets the database to read only and back."""
    async with admin_of(primary) as admin:
        yield admin


async def test_a_database_that_is_set_to_read_only_under_a_worker_makes_it_wait_and_not_end(
    admin: asyncpg.Connection, url: str, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    switch = "ALTER DATABASE postgres SET default_transaction_read_only = "
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'stem%'"
    async with Stem(url) as stem, stem.worker(registry, concurrency=5):
        batch = await stem.enqueue_many([WORK.call(0.05)] * 60)
        await eventually(lambda: len(journal.ended()) >= 5)
        await admin.execute(switch + "on")
        await admin.fetch(cut)
        await eventually(lambda: _refuses(url), what="a database that takes no writes")
        await eventually(lambda: "a sweep failed (STEM-E031)" in caplog.text, what="a worker that met it")
        await admin.execute(f"SET default_transaction_read_only = off; {switch}off")
        await admin.fetch(cut)
        await assert_each_ended_once(batch, stem, journal)


async def _refuses(url: str) -> bool:
    store = await open_store(url, StoreOptions())
    try:
        await store.commit([Change((publish(queue="refused"),))])
    except StoreReadOnly:
        return True
    finally:
        await store.aclose()
    return False


@pytest.mark.slow
async def test_a_worker_that_knows_both_servers_works_on_with_the_one_that_takes_over(
    primary: PostgresServer, replica: PostgresServer, url: str, journal: Journal
) -> None:
    both = url.replace("/postgres?", f",127.0.0.1:{replica.port}/postgres?target_session_attrs=read-write&")
    async with Stem(both) as stem, stem.worker(registry, concurrency=5):
        batch = await stem.enqueue_many([WORK.call(0.05)] * 100)
        await eventually(lambda: len(journal.ended()) >= 10)
        await _take_over(primary, replica)
        await assert_each_ended_once(batch, stem, journal)


@pytest.mark.slow
async def test_a_worker_behind_one_address_works_on_with_the_server_to_which_it_leads_after_a_failover(
    primary: PostgresServer, replica: PostgresServer, url: str, journal: Journal
) -> None:
    async with Proxy(primary.port) as wire:
        address = url.replace(f":{primary.port}/", f":{wire.port}/")
        async with Stem(address) as stem, stem.worker(registry, concurrency=5):
            batch = await stem.enqueue_many([WORK.call(0.05)] * 100)
            await eventually(lambda: len(journal.ended()) >= 10)
            wire.lead_to(replica.port)
            before = wire.connections
            wire.cut()
            await eventually(lambda: wire.connections > before + 4, what="a worker that meets a server without writes")
            await _take_over(primary, replica)
            await assert_each_ended_once(batch, stem, journal)


async def _take_over(primary: PostgresServer, replica: PostgresServer) -> None:
    """The primary dies at once; the replica takes writes from now on."""
    await asyncio.to_thread(primary.stop, signal.SIGQUIT)
    async with admin_of(replica) as admin:
        assert await admin.fetchval("SELECT pg_promote()")
