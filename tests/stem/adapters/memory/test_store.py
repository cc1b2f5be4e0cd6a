"""What the memory engine adds to the contract: exact notices, and calls from any thread."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.contracts.changes import Cancel, Change, Park, UniqueKey
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Notice
from stem.tasks.links import After
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.lineups import chain, chord, fill

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


async def test_a_chain_may_be_longer_than_python_recurses(bench: Bench) -> None:
    links = chain(3_000)
    await bench.apply(*links)
    await bench.apply(Cancel(links[0].envelope.id))
    (count,) = await bench.store.queues()
    assert count.counts == {TaskState.CANCELLED: 3_000}


class Opened(MemoryStore):
    """One whose tables can be looked at."""

    def sizes(self) -> list[int]:
        tables = self._tables
        kept = (tables.groups, tables.closing, tables.waiters, tables.pinned, tables.keys, tables.broadcasts)
        return [len(table) for table in (*kept, tables.tasks, tables.ended)]


async def test_what_was_forgotten_leaves_nothing_behind() -> None:
    clock = ManualClock()
    store = Opened(clock)
    bench = Bench(store, clock)
    _, ids, _ = await chord(bench, 3, result_ttl=0)
    await bench.put(after=After(ids[0]), unique=UniqueKey("k"))
    await bench.finish_all()
    await fill(bench, 2, seal=False)
    await store.broadcast("control", b"x", message_id="m")
    clock.advance(400_000)
    for _ in range(3):
        await store.retain(100)
    assert set(store.sizes()) == {0}
