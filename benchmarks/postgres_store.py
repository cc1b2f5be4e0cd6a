"""How fast the PostgreSQL store is in batches of 500: publish, then lease and settle through one store.

    python benchmarks/postgres_store.py [url] [tasks]

Without a URL a server of our own is started, with fsync on. The claim is measured on a short queue and on a long one,
because it must not become slower as the queue grows.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Publish, Release, Settle
from stem.contracts.store import LeaseRequest, Store
from stem.ids import new_id
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.state import TaskEvent

BATCH = 500
PAYLOAD = b'{"order_id":4711,"amount":"12.50","currency":"EUR","items":["a","b","c"]}'
SCHEMA = "stem_benchmark"


def change(number: int) -> Change:
    """One publish of about 200 bytes."""
    envelope = Envelope(id=new_id(), name="shop.charge", payload=PAYLOAD, queue="default", priority=number % 2)
    return Change((Publish(envelope=envelope, body=encode_envelope(envelope)),))


def request(limit: int) -> LeaseRequest:
    """Ask for up to so many, all of which start at once."""
    return LeaseRequest(
        request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=limit, started=limit
    )


async def publish(store: Store, tasks: int) -> None:
    """All tasks, batch by batch."""
    for _ in range(tasks // BATCH):
        assert (await store.commit([change(n) for n in range(BATCH)]))[0] == APPLIED


async def drain(store: Store, tasks: int) -> None:
    """Lease and settle all tasks; the next lease is asked for while the last batch settles."""
    left = tasks
    settling: asyncio.Task[object] | None = None
    while left > 0:
        answer = await store.lease(request(BATCH))
        left -= len(answer.deliveries)
        if settling is not None:
            await settling
        done = [Change((Settle(TaskEvent.SUCCEEDED, b'{"paid":true}'),), d.fence) for d in answer.deliveries]
        settling = asyncio.ensure_future(store.commit(done))
    if settling is not None:
        await settling


async def claim(store: Store, times: int) -> float:
    """The median of milliseconds that a claim of 100 takes; what was claimed goes back."""
    took: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        answer = await store.lease(request(100))
        took.append(1e3 * (time.perf_counter() - begun))
        await store.commit([Change((Release(),), delivery.fence) for delivery in answer.deliveries])
    return median(took)


async def measure(name: str, work: Awaitable[None], tasks: int) -> None:
    """Print how many a second."""
    begun, cpu = time.perf_counter(), time.process_time()
    await work
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name:32} {tasks / took:10,.0f}/s   {1e6 * used / tasks:6.1f} us CPU a task")


async def main(url: str, tasks: int, long: int) -> None:
    """All measures on a new schema."""
    store = await open_store(f"{url}?schema={SCHEMA}_{new_id()[:8]}", StoreOptions())
    try:
        await measure(f"publish, batches of {BATCH}", publish(store, tasks), tasks)
        await measure(f"lease and settle, {BATCH} at once", drain(store, tasks), tasks)
        await publish(store, 1_000)
        print(f"{'claim 100 of 1,000':32} {await claim(store, 50):10.2f} ms")
        if long:
            await publish(store, long)
            print(f"{f'claim 100 of {long:,}':32} {await claim(store, 50):10.2f} ms")
    finally:
        await store.aclose()


if __name__ == "__main__":
    from tests.server_postgres import start_server

    server = start_server("fsync=on", "shared_buffers=256MB") if len(sys.argv) < 2 else None
    try:
        asyncio.run(
            main(
                server.url if server else sys.argv[1],
                int(sys.argv[2]) if len(sys.argv) > 2 else 100_000,
                int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000,
            )
        )
    finally:
        if server:
            server.remove()
