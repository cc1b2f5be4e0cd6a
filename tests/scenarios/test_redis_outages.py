"""A Redis that is not there: at the start, while somebody enqueues, and when everybody wants to go home."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from stem.adapters.redis import RedisStore, open_store
from stem.app import Stem
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.errors import StoreUnavailable
from stem.stores.committer import Committer
from stem.testing.contracts import publish
from tests.scenarios.support.crew import assert_consumes, working
from tests.scenarios.support.jobs import STEPS, WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard
from tests.servers import RedisServer, free_port

pytestmark = pytest.mark.server
BOUND = 20.0
"""Seconds in which closing has to end, whatever the server does."""


async def test_a_worker_that_finds_no_server_says_so_and_ends_in_4(yard: Yard) -> None:
    worker = yard.start(url=f"redis://app:secret@127.0.0.1:{free_port()}/0")
    assert await worker.exit_code() == 4
    assert "error[STEM-E031]: expected a Redis server that answers" in worker.said()
    assert "do:    Check that the server runs" in worker.said()
    assert "secret" not in worker.said()


async def test_a_client_whose_server_never_answers_says_so_in_time(redis: RedisServer) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy:
        proxy.swallow()
        async with asyncio.timeout(BOUND):
            with pytest.raises(StoreUnavailable):
                await Stem(proxy.url).__aenter__()


async def test_enqueuing_without_a_server_is_an_error_after_the_time_for_retries_and_stores_nothing(
    redis: RedisServer,
) -> None:
    redis.start()
    store = await open_store(redis.url, StoreOptions())
    committer = Committer(store, clock=SystemClock(), retry_for=500_000)
    await asyncio.to_thread(redis.kill)
    with pytest.raises(StoreUnavailable, match="outcome unknown"):
        await committer.commit(Change((publish(),)))
    await asyncio.to_thread(redis.start)
    assert await store.queues() == ()
    assert await committer.commit(Change((publish(),))) == APPLIED
    await _close(store, committer)


async def test_enqueuing_waits_for_a_server_that_comes_back_in_time(redis: RedisServer, journal: Journal) -> None:
    redis.start()
    async with Stem(redis.url) as stem:
        await asyncio.to_thread(redis.kill)
        waiting = asyncio.ensure_future(WORK.enqueue(stem, 0.0))
        await asyncio.to_thread(redis.start)
        handle = await waiting
        async with working(redis.url):
            await assert_consumes(stem, journal)
            assert await handle.result()


async def _close(store: RedisStore, committer: Committer) -> None:
    await committer.aclose()
    await store.aclose()


@pytest.mark.slow
async def test_a_client_closes_in_time_when_the_server_has_gone(redis: RedisServer) -> None:
    redis.start()
    async with Stem(redis.url) as stem:
        await asyncio.to_thread(redis.kill)
        waiting = asyncio.ensure_future(WORK.enqueue(stem, 0.0))
        await asyncio.sleep(0)
        async with asyncio.timeout(BOUND):
            await stem.aclose()
            with pytest.raises(StoreUnavailable):
                await waiting


@pytest.mark.slow
async def test_what_a_worker_could_not_hand_back_because_the_server_fell_silent_is_run_by_another(
    redis: RedisServer, yard: Yard, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stem.worker.draining._CANCEL_GRACE", 500_000)
    redis.start()
    async with Proxy(redis.port) as proxy, Stem(redis.url) as stem:
        inside = await Stem(proxy.url).__aenter__()
        worker = await inside.worker(registry, drain=timedelta(0)).__aenter__()
        handle = await STEPS.enqueue(stem)
        await eventually(lambda: journal.started(handle.id))
        proxy.swallow()
        async with asyncio.timeout(BOUND):
            await worker.stop()
            await inside.aclose()
        yard.open_gate()
        async with working(redis.url):
            assert await handle.result(timeout=timedelta(seconds=30))


async def test_an_idle_worker_process_ends_in_time_when_the_server_has_gone(
    redis: RedisServer, tmp_path: Path, journal: Journal
) -> None:
    redis.start()
    crew = Yard(tmp_path, redis.url, journal)
    try:
        worker = crew.start()
        async with Stem(redis.url) as stem:
            handle = await WORK.enqueue(stem, 0.0)
            await handle.result()
            await handle.status()  # the worker's answer was sent with the result that we have
        await asyncio.to_thread(redis.kill)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code(within=BOUND) == 0
    finally:
        crew.close()
