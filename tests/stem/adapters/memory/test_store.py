"""What the memory engine adds to the contract: exact notices, and calls from any thread."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.contracts.changes import Change, Park
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Notice
from stem.testing import ManualClock
from stem.testing.contracts import Bench, publish

BEAT = Heartbeat(
    worker="w", host="h", pid=1, fingerprint="new", queues=("default",), concurrency=1, running=0, every=5_000_000
)


@pytest.fixture
def bench() -> Bench:
    clock = ManualClock()
    return Bench(MemoryStore(clock), clock)


async def parked(bench: Bench) -> list[Notice]:
    """What a listener hears after a message was parked in the queue `default`."""
    delivery = await bench.running()
    await bench.apply(Park("unknown task", "old", 300_000_000), fence=delivery.fence)
    heard: list[Notice] = []
    bench.store.listen(heard.append)
    return heard


async def test_only_the_first_beat_of_a_fingerprint_tells_of_parked_messages(bench: Bench) -> None:
    heard = await parked(bench)
    await bench.store.beat(BEAT)
    await bench.store.beat(BEAT)
    await bench.store.beat(replace(BEAT, worker="another"))
    assert heard == [Notice(frozenset({"default"}))]


async def test_a_fingerprint_whose_workers_are_late_or_gone_is_new_again(bench: Bench) -> None:
    heard = await parked(bench)
    await bench.store.beat(BEAT)
    await bench.store.retire("w")
    await bench.store.beat(BEAT)
    bench.clock.advance(16)
    await bench.store.beat(replace(BEAT, worker="another"))
    assert len(heard) == 3


async def test_a_beat_tells_of_its_own_queues_only(bench: Bench) -> None:
    heard = await parked(bench)
    await bench.store.beat(replace(BEAT, queues=("mail",)))
    assert heard == []


async def test_one_commit_is_one_notice(bench: Bench) -> None:
    heard: list[Notice] = []
    bench.store.listen(heard.append)
    await bench.store.commit([Change((publish(queue=queue),)) for queue in ("a", "b", "a")])
    assert heard == [Notice(frozenset({"a", "b"}))]


def test_threads_with_loops_of_their_own_share_one_store(bench: Bench) -> None:
    async def fill() -> None:
        for _ in range(100):
            await bench.store.commit([Change((publish(),))])

    threads = [threading.Thread(target=lambda: asyncio.run(fill())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = asyncio.run(bench.store.list_tasks(TaskFilter(), limit=1_000))
    assert len({record.id for record in page.records}) == 400
