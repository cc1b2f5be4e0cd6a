"""A server that is restarted, killed, forgetful or slow, and connections that are cut, under load."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from stem.adapters.redis import RedisStore, open_store
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Applied, Change, Fenced
from stem.contracts.queries import TaskFilter
from stem.contracts.store import LeaseRequest, Renewal
from stem.errors import StemError, StoreUnavailable
from stem.ids import new_id
from stem.stores.committer import Committer
from stem.tasks.state import TaskState
from stem.testing.contracts import publish
from stem.testing.contracts.build import SUCCESS
from tests.servers import RedisServer

pytestmark = pytest.mark.slow
T = TypeVar("T")
TASKS = 6_000


class Load:
    """A producer and a consumer that go on through every fault."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.committer = Committer(store, clock=SystemClock())
        self.accepted: list[str] = []
        self.settled: set[str] = set()

    async def produce(self) -> None:
        """Publish in small steps; what was answered as applied is accepted."""
        for _ in range(TASKS // 50):
            changes = [Change((publish(),)) for _ in range(50)]
            for change, verdict in zip(changes, await self.committer.commit_all(changes), strict=True):
                assert isinstance(verdict, Applied), verdict
                self.accepted.append(change.writes[0].envelope.id)  # type: ignore[union-attr]  # a publish
            await asyncio.sleep(0.02)

    async def consume(self) -> None:
        """Lease and settle until everything that was to come has come; an unanswered request is asked again."""
        while len(self.settled) < TASKS:
            request = LeaseRequest(
                request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=40, started=40
            )
            answer = await again(partial(self.store.lease, request))
            changes = [Change((SUCCESS,), delivery.fence) for delivery in answer.deliveries]
            verdicts = await self.committer.commit_all(changes)
            for delivery, verdict in zip(answer.deliveries, verdicts, strict=True):
                assert isinstance(verdict, Applied | Fenced), verdict
                self.settled.add(delivery.fence.task_id)
            await asyncio.sleep(0 if changes else 0.01)


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """What the call answers once the server is there."""
    for _ in range(300):
        try:
            return await call()
        except StoreUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("the server does not come back")


async def _survive(server: RedisServer, fault: Callable[[RedisStore], Awaitable[None]]) -> None:
    store = await open_store(f"{server.url}?timeout=2", StoreOptions())
    load = Load(store)
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        group.create_task(load.produce())
        group.create_task(load.consume())
        await asyncio.sleep(0.15)
        await fault(store)
        assert len(load.accepted) < TASKS, "the fault came too late to prove anything"
    assert len(load.accepted) == TASKS
    assert set(load.accepted) == load.settled
    (count,) = await store.queues()
    assert count.counts == {TaskState.SUCCEEDED: TASKS}
    page = await store.list_tasks(TaskFilter(), limit=TASKS + 1)
    assert {record.id for record in page.records} == set(load.accepted)
    assert all(record.deliveries == 1 for record in page.records)
    await load.committer.aclose()
    await store.aclose()


async def test_a_server_that_is_killed_and_started_again_loses_nothing(own: RedisServer) -> None:
    own.start()

    async def fault(store: RedisStore) -> None:
        for _ in range(2):
            await asyncio.to_thread(own.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own.start)
            await again(store.now)
            await asyncio.sleep(0.1)

    await _survive(own, fault)


async def test_a_server_that_is_restarted_in_order_loses_nothing(own: RedisServer) -> None:
    own.start()

    async def fault(store: RedisStore) -> None:
        await asyncio.to_thread(own.stop)
        await asyncio.to_thread(own.start)

    await _survive(own, fault)


async def test_connections_that_are_cut_under_load_lose_nothing(own: RedisServer) -> None:
    own.start()

    async def fault(store: RedisStore) -> None:
        for _ in range(20):
            await again(lambda: store.server.command("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes"))
            await again(lambda: store.server.command("SCRIPT FLUSH"))
            await asyncio.sleep(0.02)

    await _survive(own, fault)


async def test_a_server_that_stands_still_for_longer_than_the_timeout_loses_nothing(own: RedisServer) -> None:
    own.start()

    async def fault(store: RedisStore) -> None:
        os.kill(own.pid, signal.SIGSTOP)
        await asyncio.sleep(3)
        os.kill(own.pid, signal.SIGCONT)

    await _survive(own, fault)


async def test_closing_never_hangs_when_the_server_is_gone(own: RedisServer) -> None:
    own.start()
    store = await open_store(f"{own.url}?timeout=1", StoreOptions())
    ear = store.listen(lambda notice: None)
    await store.now()
    os.kill(own.pid, signal.SIGSTOP)
    waiting = asyncio.ensure_future(store.commit([Change((publish(),))]))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        await store.aclose()
        with pytest.raises(StemError):
            await waiting
    ear.close()
    os.kill(own.pid, signal.SIGCONT)


async def test_a_keeper_connects_again_by_itself(own: RedisServer) -> None:
    own.start()
    store = await open_store(own.url, StoreOptions())
    await store.commit([Change((publish(),))])
    request = LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=1)
    (delivery,) = (await store.lease(request)).deliveries
    keeper, renewal = store.keeper(), Renewal(delivery.fence, 10_000_000)
    (first,) = await asyncio.to_thread(keeper.renew, [renewal])
    own.kill()
    with pytest.raises(StoreUnavailable):
        await asyncio.to_thread(keeper.renew, [renewal])
    own.start()
    assert await asyncio.to_thread(keeper.renew, [renewal]) == [first]
    keeper.close()
    await store.aclose()
