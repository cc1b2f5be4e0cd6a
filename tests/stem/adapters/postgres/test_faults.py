"""Servers that are stopped, killed and started again, and connections that are cut, under load."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

import asyncpg
import pytest

from stem.adapters.postgres import connection as connection_module
from stem.adapters.postgres import open_store
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Duplicate, RefusalCode, Refused, Settle, UniqueKey
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Delivery, LeaseRequest, LeaseVerdict, Renewal, Store, TakeRequest
from stem.errors import StoreError, StoreFull, StoreUnavailable
from stem.ids import new_id
from stem.stores.committer import Committer
from stem.tasks.state import TaskEvent, TaskState
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.ear import Ear
from tests.server_postgres import PostgresServer, server_url

SECOND = 1_000_000
TASKS = 400
FAULTS = 5


class Load:
    """Publishes tasks through a committer, and leases and settles them, until all have ended."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.committer = Committer(store, clock=SystemClock())
        self.accepted: list[str] = []
        self.settled: list[str] = []
        self.progress = asyncio.Condition()

    async def produce(self) -> None:
        for _ in range(TASKS // 10):
            writes = [publish() for _ in range(10)]
            verdicts = await asyncio.gather(*(self.committer.commit(Change((write,))) for write in writes))
            assert verdicts == [APPLIED] * 10
            self.accepted += [write.envelope.id for write in writes]

    async def consume(self) -> None:
        while len(self.settled) < TASKS:
            request = LeaseRequest(
                request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=7, lease=SECOND
            )
            try:
                deliveries = (await self._lease(request)) or await self._rescue()
            except StoreUnavailable:
                await asyncio.sleep(0.02)
                continue
            done = [Change((Settle(TaskEvent.SUCCEEDED, b"1"),), delivery.fence) for delivery in deliveries]
            verdicts = await asyncio.gather(*(self.committer.commit(change) for change in done))
            self.settled += [d.fence.task_id for d, v in zip(deliveries, verdicts, strict=True) if v == APPLIED]
            async with self.progress:
                self.progress.notify_all()

    async def reaches(self, settled: int) -> None:
        """Return when so many have been settled."""
        async with self.progress:
            await self.progress.wait_for(lambda: len(self.settled) >= min(settled, TASKS))

    async def _lease(self, request: LeaseRequest) -> tuple[Delivery, ...]:
        return (await self.store.lease(request)).deliveries

    async def _rescue(self) -> tuple[Delivery, ...]:
        """What was leased by a call whose answer was lost."""
        suspects = tuple(suspect for suspect in await self.store.suspects() if suspect.expired)
        return await self.store.take(TakeRequest(request_id=new_id(), worker="w", suspects=suspects, lease=SECOND))


async def _assert_nothing_lost(load: Load) -> None:
    page = await load.store.list_tasks(TaskFilter(), limit=TASKS + 1)
    assert {record.id for record in page.records} == set(load.accepted)
    assert {record.state for record in page.records} == {TaskState.SUCCEEDED}
    assert sorted(load.settled) == sorted(load.accepted)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "killed"])
async def test_a_server_that_is_stopped_under_load_and_started_again_loses_nothing(
    how: signal.Signals, own_server: PostgresServer
) -> None:
    store = await open_store(own_server.url, StoreOptions())
    load = Load(store)
    work = asyncio.gather(load.produce(), load.consume())
    for _ in range(3):
        goal = len(load.settled) + TASKS // 5
        await load.reaches(goal)
        await asyncio.to_thread(own_server.stop, how)
        await asyncio.to_thread(own_server.start)
    await work
    await _assert_nothing_lost(load)
    await store.aclose()


async def test_connections_that_are_cut_under_load_lose_nothing(url: str) -> None:
    store = await open_store(url, StoreOptions())
    load = Load(store)
    work = asyncio.gather(load.produce(), load.consume())
    for fault in range(FAULTS):
        await load.reaches(fault * TASKS // (FAULTS + 1))
        await cut_connections()
    await work
    await _assert_nothing_lost(load)
    await store.aclose()


async def cut_connections() -> None:
    """End every connection of every store."""
    connection = await asyncpg.connect(server_url())
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'stem%'"
    await connection.fetch(cut)
    await connection.close()


async def test_a_store_without_its_server_is_unavailable_and_goes_on_when_it_is_back(
    own_server: PostgresServer,
) -> None:
    store = await open_store(own_server.url, StoreOptions())
    write = publish()
    assert await store.commit([Change((write,))]) == [APPLIED]
    await asyncio.to_thread(own_server.stop)
    calls = (store.commit([Change((publish(),))]), store.now(), store.suspects(), store.get(["x"]))
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
    await asyncio.to_thread(own_server.start)
    assert set(await store.get([write.envelope.id])) == {write.envelope.id}
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()


async def test_a_keeper_without_its_server_is_unavailable_and_connects_again(own_server: PostgresServer) -> None:
    store = await open_store(own_server.url, StoreOptions())
    await store.commit([Change((publish(),))])
    request = LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=1)
    (delivery,) = (await store.lease(request)).deliveries
    keeper = store.keeper()
    renewal = Renewal(delivery.fence, 10 * SECOND)
    assert await asyncio.to_thread(keeper.renew, [renewal]) == [LeaseVerdict.KEPT]
    await asyncio.to_thread(own_server.stop)
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(keeper.renew, [renewal])
    await asyncio.to_thread(own_server.start)
    assert await asyncio.to_thread(keeper.renew, [renewal]) == [LeaseVerdict.KEPT]
    await asyncio.to_thread(keeper.close)
    await store.aclose()


async def test_closing_a_store_whose_server_is_gone_does_not_hang(own_server: PostgresServer) -> None:
    store = await open_store(own_server.url, StoreOptions())
    ear = store.listen(lambda notice: None)
    await store.commit([Change((publish(),))])
    await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
    ear.close()
    await asyncio.wait_for(store.aclose(), 10)


async def test_a_server_that_is_frozen_is_unavailable_and_closing_does_not_hang(
    own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "ANSWER_SECONDS", 0.5)
    store = await open_store(own_server.url, StoreOptions())
    ear = store.listen(lambda notice: None)
    write = publish()
    assert await store.commit([Change((write,))]) == [APPLIED]
    await store.lease(LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=1))
    pids = await backends(own_server)
    freeze(pids)
    try:
        calls = (store.commit([Change((publish(),))]), store.suspects())
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
        ear.close()
        await asyncio.wait_for(store.aclose(), 15)
    finally:
        freeze(pids, signal.SIGCONT)
    again = await open_store(own_server.url, StoreOptions())
    assert set(await again.get([write.envelope.id])) == {write.envelope.id}
    await again.aclose()


async def backends(server: PostgresServer) -> list[int]:
    """The server's processes that serve us; the one that takes connections comes last."""
    assert server.process is not None
    connection = await asyncpg.connect(server.url)
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'stem%'")
    await connection.close()
    return [*(int(row[0]) for row in rows), server.process.pid]


def freeze(pids: list[int], how: signal.Signals = signal.SIGSTOP) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


async def test_a_listener_hears_again_after_its_connection_was_cut(bench: Bench, url: str) -> None:
    other = await open_store(url, StoreOptions(clock=bench.clock))
    with Ear(other) as ear:
        await bench.put(queue="before")
        await ear.hears_of_queue("before")
        await cut_connections()
        ear.notices.clear()
        await bench.put(queue="after")
        await ear.hears_of_queue("after")
    await other.aclose()


async def test_a_key_that_an_open_transaction_holds_holds_up_its_publishes_and_harms_no_neighbour(
    bench: Bench, url: str
) -> None:
    schema = url.rpartition("schema=")[2]
    connection = await asyncpg.connect(server_url())
    held, again, free = (publish(unique=UniqueKey(key)) for key in ("held", "held", "free"))
    async with connection.transaction():
        await connection.execute(f"INSERT INTO {schema}.uniques VALUES ('held', 'somebody')")
        verdicts = await bench.store.commit([Change((write,)) for write in (held, free, again)])
        assert [verdict.code if isinstance(verdict, Refused) else "" for verdict in verdicts] == [
            RefusalCode.HELD_UP,
            "",
            RefusalCode.HELD_UP,
        ]
        assert set(await bench.everything()) == {free.envelope.id}
    await connection.close()
    assert await bench.write(held) == Duplicate("somebody")


async def test_a_commit_whose_caller_is_cancelled_is_done(bench: Bench) -> None:
    write = publish()
    commit = asyncio.ensure_future(bench.store.commit([Change((write,))]))
    await asyncio.sleep(0)
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit
    assert await bench.write(write) == APPLIED
    assert len(await bench.everything()) == 1


@pytest.mark.parametrize(("state", "kind"), [("53100", StoreFull), ("22000", None)], ids=["full", "its own fault"])
async def test_what_the_engine_cannot_take_now_leaves_nothing_half_done(
    state: str, kind: type[StoreError] | None, bench: Bench, url: str
) -> None:
    """A trigger stands in for the disk: the server raises the error where it writes the row."""
    connection = await asyncpg.connect(server_url())
    table = f"{url.rpartition('schema=')[2]}.tasks"
    await connection.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE 'could not extend file' USING ERRCODE = '{state}'; END$$;"
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
    )
    write = publish()
    if kind is not None:
        with pytest.raises(kind, match="STEM-E034"):
            await bench.store.commit([Change((write,))])
    else:
        assert isinstance(await bench.write(write), Refused)
    assert await bench.everything() == {}
    await connection.execute(f"DROP TRIGGER refuse ON {table}")
    await connection.close()
    assert await bench.write(write) == APPLIED
