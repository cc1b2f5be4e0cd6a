"""A Redis that goes away and comes back, forgets, or falls silent: workers consume again by themselves, within 5 s."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from stem.app import Stem
from stem.errors import StoreUnavailable
from tests.scenarios.support.crew import assert_consumes, working
from tests.scenarios.support.jobs import HELD, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.pauses import assert_paused_until_resumed, pause
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard
from tests.servers import RedisServer

pytestmark = pytest.mark.server
SOON = timedelta(seconds=30)


async def _notices(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Return when the log of this process says so."""
    await eventually(lambda: words in caplog.text, what=f"{words!r} in the log")


async def test_an_idle_worker_consumes_again_after_the_server_was_killed(
    redis: RedisServer, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    redis.start()
    async with working(redis.url), Stem(redis.url) as stem:
        await assert_consumes(stem, journal)
        await asyncio.to_thread(redis.kill)
        await _notices(caplog, "the store leased nothing (STEM-E031)")
        await asyncio.to_thread(redis.start)
        await assert_consumes(stem, journal)


async def test_a_worker_process_consumes_again_and_nothing_accepted_before_is_lost(
    redis: RedisServer, tmp_path: Path, journal: Journal
) -> None:
    redis.start()
    yard = Yard(tmp_path, redis.url, journal)
    try:
        async with Stem(redis.url) as stem:
            worker = yard.start("-c", "4")
            batch = await stem.enqueue_many([WORK.call(0.05)] * 80)
            await eventually(lambda: len(journal.ended()) >= 20, what=f"work: {yard.said()}")
            await asyncio.to_thread(redis.kill)
            await eventually(lambda: "the store leased nothing" in worker.said(), what=worker.said())
            await asyncio.to_thread(redis.start)
            await assert_consumes(stem, journal)
            probe = stem.handle(journal.started()[-1].task_id)
            assert len(await assert_each_ended_once([*batch, probe], stem, journal)) == 81
            assert not worker.is_dead
    finally:
        yard.close()


async def test_what_was_accepted_before_everything_stopped_is_there_when_everything_starts_again(
    redis: RedisServer, journal: Journal
) -> None:
    redis.start()
    async with Stem(redis.url) as stem:
        ids = [handle.id for handle in await stem.enqueue_many([WORK.call(0.0)] * 50)]
    redis.kill()
    redis.start()
    async with working(redis.url), Stem(redis.url) as stem:
        assert await assert_each_ended_once(map(stem.handle, ids), stem, journal) == set(ids)


async def test_a_queue_is_still_paused_when_everything_starts_again(redis: RedisServer) -> None:
    task_id = await pause(redis.start().url)
    redis.kill()
    redis.start()
    await assert_paused_until_resumed(redis.url, task_id)


async def test_several_losses_within_three_seconds_lose_no_task_and_leave_no_connection_behind(
    redis: RedisServer, journal: Journal
) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url), Stem(proxy.url) as stem:
        batch = await stem.enqueue_many([WORK.call(0.05)] * 200)
        for losses in range(1, 7):
            await eventually(partial(_have_ended, journal, 10 * losses), what="work between the losses")
            proxy.cut()
        await assert_consumes(stem, journal)
        probe = stem.handle(journal.started()[-1].task_id)
        await assert_each_ended_once([*batch, probe], stem, journal)
        lines = redis.tell("CLIENT", "LIST").splitlines()
        assert len([line for line in lines if "addr=" in line]) <= 20


def _have_ended(journal: Journal, number: int) -> bool:
    return len(journal.ended()) >= number


@pytest.mark.slow
async def test_a_read_that_never_returns_is_given_up_and_consumption_goes_on(
    redis: RedisServer, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url), Stem(redis.url) as stem:
        await assert_consumes(stem, journal)
        proxy.swallow()
        await _notices(caplog, "the store leased nothing (STEM-E031)")
        proxy.pass_on()
        await assert_consumes(stem, journal)


@pytest.mark.slow
async def test_a_new_connection_that_is_never_answered_is_given_up_and_made_again(
    redis: RedisServer, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url), Stem(redis.url) as stem:
        await assert_consumes(stem, journal)
        proxy.swallow()
        proxy.cut()
        await _notices(caplog, "the store leased nothing (STEM-E031)")
        proxy.pass_on()
        await assert_consumes(stem, journal)
        await eventually(partial(_subscribers, redis, 1), within=5.0, what="the worker's subscription")


def _subscribers(redis: RedisServer, number: int) -> bool:
    return f":{number}" in redis.tell("PUBSUB", "NUMSUB", "{stem:stem}:notices")


async def test_a_subscription_that_hears_nothing_any_more_only_delays(redis: RedisServer, journal: Journal) -> None:
    """Requests arrive and are answered; only the connection that waits for notices is gone without a word."""
    redis.start()
    async with Proxy(redis.port) as deaf, working(deaf.url), Stem(redis.url) as stem:
        await assert_consumes(stem, journal)
        deaf.swallow_answers()
        redis.tell("PUBLISH", "{stem:stem}:notices", "00000000000000000000000000{}")
        await eventually(lambda: deaf.swallowed > 0)
        deaf.pass_on()
        await assert_consumes(stem, journal)


async def test_a_slow_network_delays_and_loses_nothing(redis: RedisServer, journal: Journal) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url), Stem(redis.url) as stem:
        proxy.delay = 0.3
        batch = await stem.enqueue_many([WORK.call(0.0)] * 20)
        await assert_each_ended_once(batch, stem, journal)
        assert len(journal.started()) == 20


async def test_forgotten_scripts_are_sent_again(redis: RedisServer, journal: Journal) -> None:
    redis.start()
    async with working(redis.url), Stem(redis.url) as stem:
        batch = await stem.enqueue_many([WORK.call(0.02)] * 60)
        for flushes in range(1, 6):
            await eventually(partial(_have_ended, journal, 5 * flushes))
            redis.tell("SCRIPT", "FLUSH")
        await assert_each_ended_once(batch, stem, journal)
        assert len(journal.started()) == 60


@pytest.mark.slow
async def test_while_the_server_loads_its_data_everybody_waits_and_then_goes_on(
    redis: RedisServer, journal: Journal
) -> None:
    redis.start()
    async with working(redis.url), Stem(redis.url) as stem:
        await assert_consumes(stem, journal)
        redis.send(("SET", "filler", str(number)) for number in range(20_000))
        await asyncio.to_thread(redis.kill)
        await asyncio.to_thread(redis.start_loading, "--key-load-delay", "100")
        with pytest.raises(StoreUnavailable, match="loaded its data"):
            await Stem(redis.url).__aenter__()
        handle = await WORK.enqueue(stem, 0.0)
        assert await handle.result(timeout=SOON)
        await assert_consumes(stem, journal)


async def test_an_outcome_whose_answer_is_lost_is_sent_again_and_recorded_once(
    redis: RedisServer, yard: Yard, journal: Journal
) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url) as worker, Stem(redis.url) as stem:
        assert await stem.enqueue_and_wait(WORK.call(0.0)), "its connection for outcomes is open"
        handle = await HELD.enqueue(stem)
        await eventually(lambda: journal.started(handle.id))
        proxy.swallow_answers()
        yard.open_gate()
        result = await handle.result(timeout=SOON)
        assert worker.running == 1, "the worker does not know yet"
        proxy.pass_on()
        await eventually(lambda: worker.running == 0, what="the answer to the outcome, sent again")
        assert await handle.result() == result
        assert len(journal.started(handle.id)) == 1


async def test_an_outcome_that_never_arrived_is_sent_again(
    redis: RedisServer, yard: Yard, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    redis.start()
    async with Proxy(redis.port) as proxy, working(proxy.url), Stem(redis.url) as stem:
        handle = await HELD.enqueue(stem)
        await eventually(lambda: journal.started(handle.id))
        await proxy.hang_up()
        yard.open_gate()
        await _notices(caplog, "the store leased nothing (STEM-E031)")
        await proxy.listen()
        assert await handle.result(timeout=SOON)
        assert len(journal.started(handle.id)) == 1
