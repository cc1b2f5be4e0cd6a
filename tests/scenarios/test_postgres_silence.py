"""A PostgreSQL server from which no answer comes any more, on a way that nobody has closed: nothing waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stem import Registry, Stem, TaskContext, definition, task
from stem.adapters.postgres import connection, keeper, line, open_store, wake
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change
from stem.contracts.store import LeaseRequest, LeaseVerdict, Renewal, Store
from stem.errors import StoreUnavailable
from stem.tasks.state import TaskEvent
from stem.testing.contracts import publish
from stem.worker.lease import LONGEST_PAUSE, third
from stem.worker.settings import WorkerSettings
from tests.scenarios.support.jobs import WORK, made_by, registry
from tests.scenarios.support.journal import ENDED, STARTED, Journal, write_entry
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.postgres import fresh_url
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import postgres_server

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("journal")]

SHORT = 0.5
MINUTE = timedelta(seconds=60)
SECOND = 1_000_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is given up after some seconds is given up after half of one."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", SHORT)
    monkeypatch.setattr(keeper, "PATIENCE", SHORT)
    monkeypatch.setattr(line, "CLOSE_SECONDS", SHORT)


@pytest.fixture
async def wire() -> AsyncIterator[Proxy]:
    async with Proxy(postgres_server().port) as wire:
        yield wire


@pytest.fixture
def url(wire: Proxy) -> str:
    return fresh_url(postgres_server(), wire.port)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await open_store(url, StoreOptions())
    yield store
    await store.aclose()


async def test_a_worker_whose_statements_never_return_gives_them_up_and_goes_on_over_new_connections(
    wire: Proxy, url: str, journal: Journal
) -> None:
    async with Stem(url) as stem, stem.worker(registry, concurrency=5):
        batch = await stem.enqueue_many([WORK.call(0.05)] * 40)
        await eventually(lambda: len(journal.ended()) >= 5)
        wire.swallow()
        await eventually(lambda: wire.swallowed, what="a lost statement")
        wire.pass_on()
        await assert_each_ended_once(batch, stem, journal)


async def test_an_outcome_whose_answer_was_lost_is_sent_again_and_counts_once(
    wire: Proxy, url: str, journal: Journal
) -> None:
    @task(name="scenario.unheard")
    async def unheard(ctx: TaskContext) -> str:
        write_entry(ctx, STARTED)
        wire.swallow_answers()
        write_entry(ctx, ENDED)
        return made_by(ctx)

    async with Stem(url) as stem:
        worker = stem.worker(Registry.of(unheard))
        async with worker:
            handle = await definition(unheard).enqueue(stem)
            await eventually(lambda: wire.swallowed, what="a lost answer")
            wire.pass_on()
            await assert_each_ended_once([handle], stem, journal)
            await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 1, what="the verdict")
        assert len(journal.started(handle.id)) == 1
        assert worker.stats.fenced == 0


async def test_a_publish_whose_answer_was_lost_is_stored_once(wire: Proxy, url: str) -> None:
    async with Stem(url) as stem:
        await WORK.enqueue(stem, 0.0)
        wire.swallow_answers()
        enqueuing = asyncio.create_task(WORK.enqueue(stem, 0.0))
        await eventually(lambda: wire.swallowed, what="a lost answer")
        wire.pass_on()
        await enqueuing
        (count,) = await stem.inspect.queues()
        assert sum(count.counts.values()) == 2


async def test_a_keeper_whose_connection_has_gone_silent_asks_again_over_a_new_one(wire: Proxy, store: Store) -> None:
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    request = LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=1)
    (delivery,) = (await store.lease(request)).deliveries
    renewal, renews = Renewal(delivery.fence, 10 * SECOND), store.keeper()
    assert await asyncio.to_thread(renews.renew, [renewal]) == [LeaseVerdict.KEPT]
    wire.swallow()
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(renews.renew, [renewal])
    wire.pass_on()
    assert await asyncio.to_thread(renews.renew, [renewal]) == [LeaseVerdict.KEPT]
    await asyncio.to_thread(renews.close)


@pytest.mark.parametrize("impatient", [None], ids=["as it is"])
def test_a_keeper_that_meets_silence_has_time_to_ask_twice_more_before_a_lease_of_ten_seconds_is_over(
    impatient: None,
) -> None:
    lease = WorkerSettings().lease // timedelta(microseconds=1)
    assert lease == 10 * SECOND
    assert third(lease) + 2 * (keeper.PATIENCE * SECOND + LONGEST_PAUSE) <= lease


async def test_a_listener_whose_connection_has_gone_silent_hears_over_a_new_one(
    wire: Proxy, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_MANNER", connection.Manner(name="stem listener", steady=False, patience=SHORT))
    direct = f"{url}&listen=127.0.0.1:{wire.port}".replace(f":{wire.port}/", f":{postgres_server().port}/")
    async with Stem(direct) as elsewhere, elsewhere.worker(registry), Stem(direct) as stem:
        await WORK.enqueue_and_wait(stem, 0.0)
        await eventually(lambda: wire.connections)
        wire.swallow()
        await eventually(lambda: wire.swallowed, what="a lost poll")
        await WORK.enqueue_and_wait(stem, 0.0)
        wire.pass_on()
        before = wire.connections
        await eventually(lambda: wire.connections > before, what="another listener")


async def test_closing_does_not_wait_for_an_answer_that_never_comes(
    wire: Proxy, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 600.0)
    store = await open_store(url, StoreOptions())
    ear = store.listen(lambda notice: None)
    await store.commit([Change((publish(),))])
    await store.now()
    wire.swallow()
    calls = [asyncio.ensure_future(call) for call in (store.now(), store.now(), store.commit([Change((publish(),))]))]
    await eventually(lambda: wire.swallowed, what="a lost statement")
    async with asyncio.timeout(30):
        await store.aclose()
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
    ear.close()


async def test_a_worker_that_stops_while_its_server_is_silent_ends(
    wire: Proxy, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stem.worker.draining._CANCEL_GRACE", SECOND // 2)
    async with Stem(url) as stem:
        worker = stem.worker(registry, drain=timedelta(0))
        async with worker:
            await WORK.enqueue_and_wait(stem, 0.0)
            await WORK.enqueue(stem, 600.0)
            await eventually(lambda: worker.running)
            wire.swallow()
            async with asyncio.timeout(20):
                await worker.stop()
