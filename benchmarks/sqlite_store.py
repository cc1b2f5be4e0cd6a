"""How fast the SQLite store is in batches of 100, beside an event loop that is idle or always busy.

    python benchmarks/sqlite_store.py [tasks]

The busy loop runs Python code all the time in slices of 100 steps, as a worker's does; every statement of the store
then has to get the interpreter back from it. That is a race which the loop wins nearly always, because it lets go only
for microseconds: the busy numbers are the worst case and differ tenfold from run to run; the idle ones are steady.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Publish, Settle
from stem.contracts.store import LeaseRequest, Store
from stem.ids import new_id
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.state import TaskEvent

BATCH = 100
PAYLOAD = b'{"order_id":4711,"amount":"12.50","currency":"EUR","items":["a","b","c"]}'


def change(number: int) -> Change:
    """One publish of about 200 bytes."""
    envelope = Envelope(id=new_id(), name="shop.charge", payload=PAYLOAD, queue="default", priority=number % 2)
    return Change((Publish(envelope=envelope, body=encode_envelope(envelope)),))


async def publish(store: Store, tasks: int) -> None:
    """All tasks, batch by batch."""
    batches = [[change(n) for n in range(BATCH)] for _ in range(tasks // BATCH)]
    for batch in batches:
        assert (await store.commit(batch))[0] == APPLIED


async def drain(store: Store, tasks: int) -> None:
    """Lease and settle all tasks; the next lease is asked for while the last batch settles."""
    left = tasks
    settling: asyncio.Task[object] | None = None
    while left > 0:
        request = LeaseRequest(
            request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=BATCH, started=BATCH
        )
        answer = await store.lease(request)
        left -= len(answer.deliveries)
        if settling is not None:
            await settling
        done = [Change((Settle(TaskEvent.SUCCEEDED, b'{"paid":true}'),), d.fence) for d in answer.deliveries]
        settling = asyncio.ensure_future(store.commit(done))
    if settling is not None:
        await settling


async def be_busy() -> None:
    """Keep the interpreter busy for good."""
    while True:
        for number in range(100):
            sum(range(number))
        await asyncio.sleep(0)


async def measure(name: str, work: Callable[[], Awaitable[None]], tasks: int) -> None:
    """Print how many a second."""
    begun, cpu = time.perf_counter(), time.process_time()
    await work()
    took = time.perf_counter() - begun
    used = time.process_time() - cpu
    print(f"{name:32} {tasks / took:10,.0f}/s   {1e6 * used / tasks:6.1f} us CPU a task")


async def main(tasks: int) -> None:
    """Both loops, one after the other, on a new file each."""
    for name in ("idle loop", "busy loop"):
        with tempfile.TemporaryDirectory() as folder:
            store = await open_store(f"sqlite:///{Path(folder) / 'stem.db'}", StoreOptions())
            noise = asyncio.ensure_future(be_busy()) if name == "busy loop" else None
            await measure(f"publish, {name}", partial(publish, store, tasks), tasks)
            await measure(f"lease and settle, {name}", partial(drain, store, tasks), tasks)
            if noise is not None:
                noise.cancel()
            await store.aclose()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
