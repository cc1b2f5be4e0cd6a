"""A worker behind a PgBouncer that pools transactions: by the poll, or by a listener that goes past it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from stem import Stem
from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.errors import ConfigError, StoreUnavailable
from stem.testing.contracts.ear import Ear
from tests.scenarios.support.jobs import WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.postgres import connections, cut_connections, fresh_url
from tests.scenarios.support.waiting import eventually
from tests.server_pgbouncer import bouncer_before
from tests.server_postgres import PostgresServer, start_server
from tests.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("journal")]

MINUTE = timedelta(seconds=60)
IGNORED = """
ignore_startup_parameters = extra_float_digits,lock_timeout,idle_in_transaction_session_timeout,jit,plan_cache_mode,\
default_transaction_isolation,enable_seqscan,enable_bitmapscan,enable_hashjoin,enable_mergejoin
"""
"""With this it takes all settings, and applies none."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = start_server("fsync=off")
    yield server
    server.remove()


@pytest.fixture(scope="module", params=["", IGNORED], ids=["that refuses settings", "that ignores settings"])
def port(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[int]:
    with bouncer_before(server.port, more=str(request.param)) as port:
        yield port


@pytest.fixture
def url(server: PostgresServer, port: int) -> str:
    return fresh_url(server, port)


async def test_it_is_found_out_and_every_task_runs_once(url: str, journal: Journal) -> None:
    async with Stem(url) as stem, stem.worker(registry, concurrency=10):
        batch = await stem.enqueue_many([WORK.call(0.01)] * 100)
        await assert_each_ended_once(batch, stem, journal)
        assert any("A PgBouncer" in sentence and "listen=" in sentence for sentence in await stem.inspect.warnings())


async def test_all_its_server_connections_may_be_cut_while_a_worker_works(
    server: PostgresServer, url: str, journal: Journal
) -> None:
    async with Stem(url) as stem, stem.worker(registry, concurrency=5):
        batch = await stem.enqueue_many([WORK.options(max_retries=20).call(0.05)] * 60)
        for done in (5, 20, 40):
            await eventually(partial(_have_ended, journal, done), what=f"{done} ends")
            await cut_connections(server, "%")
        await assert_each_ended_once(batch, stem, journal)


def _have_ended(journal: Journal, done: int) -> bool:
    return len(journal.ended()) >= done


async def test_notices_come_past_it_where_the_url_says_how(server: PostgresServer, url: str) -> None:
    direct = f"{url}&listen=127.0.0.1:{server.port}"
    other = await open_store(direct, StoreOptions())
    async with Stem(direct) as stem:
        with Ear(other) as ear:
            await eventually(lambda: connections(server, "stem listener"), what="a listener")
            await WORK.enqueue(stem, 0.0)
            await eventually(lambda: any("default" in notice.queues for notice in ear.notices), what="the notice")
        assert not any("listen" in sentence for sentence in await stem.inspect.warnings())
    await other.aclose()


async def test_a_way_past_it_that_leads_nowhere_leaves_the_poll_and_is_told_by_the_doctor(url: str) -> None:
    async with Stem(f"{url}&listen=127.0.0.1:{free_port()}") as stem, stem.worker(registry):
        await asyncio.wait_for(WORK.enqueue_and_wait(stem, 0.0), 60)
        assert any("Nobody can listen at" in sentence for sentence in await stem.inspect.warnings())


async def test_a_server_behind_it_that_is_away_makes_work_wait(
    server: PostgresServer, url: str, journal: Journal
) -> None:
    async with Stem(url) as stem, stem.worker(registry):
        accepted = await stem.enqueue_many([WORK.options(delay=timedelta(seconds=1)).call(0.0)] * 5)
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreUnavailable):
            await open_store(url, StoreOptions())
        await asyncio.to_thread(server.start)
        await assert_each_ended_once(accepted, stem, journal)


async def test_what_it_refuses_itself_is_one_clear_error(url: str) -> None:
    with pytest.raises(ConfigError, match="a user and a password"):
        await open_store(url.replace("stem@", "nobody:x@"), StoreOptions())
