"""That Redis stays small: many tasks run through with a short retention, and its memory and its keys do not grow.

    python benchmarks/redis_memory.py [seconds] [URL]

Without a URL a server is started. Each round publishes, leases and settles 1,000 tasks with arguments and results of
about 100 bytes, then ten seconds pass by the clock that the store is given; an ended task is kept for a minute, so that
about 7,000 are there at any time. All have a rate and a concurrency, of keys that no other round has. Ends in 1 when
the second half of the run needed more memory or keys than the first.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stem.adapters.redis import RedisStore, open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change, Publish, Settle
from stem.contracts.limits import TaskLimit
from stem.contracts.store import LeaseRequest
from stem.ids import new_id
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.rates import parse_rate
from stem.tasks.state import TaskEvent
from stem.testing.clock import ManualClock
from tests.servers import RedisServer

ROUND = 1_000
CALLS = 2
CUSTOMERS = 100
LIMIT = TaskLimit(name="shop.charge", shared="shop.charge", rate=parse_rate("1000/s"), concurrency=10)
PAYLOAD = b'{"order_id":4711,"amount":"12.50","currency":"EUR","items":["a","b","c"]}'
RESULT = b'{"paid":true,"receipt":"' + b"x" * 76 + b'"}'
TOLERANCE = 1.05


@dataclass(frozen=True, slots=True)
class Size:
    """What the server says of itself, and how many tasks it has seen by then."""

    tasks: int
    used_memory: int
    keys: int


def change(key: str) -> Change:
    """One publish, whose result is not to be kept."""
    envelope = Envelope(id=new_id(), name=LIMIT.name, payload=PAYLOAD, queue="default", result_ttl=0)
    body = encode_envelope(envelope)
    return Change((Publish(envelope=envelope, body=body, rate_key=key, concurrency_key=key),))


async def run_round(store: RedisStore, clock: ManualClock) -> None:
    """A round of tasks from beginning to end, and the deletion of those whose time is over."""
    for _ in range(CALLS):
        keys = [f"customer-{clock.now()}-{number % CUSTOMERS}" for number in range(ROUND // CALLS)]
        await store.commit([change(key) for key in keys])
        request = LeaseRequest(
            request_id=new_id(), worker="w", fingerprint="f", queues={"default": 1}, limit=ROUND // CALLS
        )
        given = (await store.lease(request)).deliveries
        assert len(given) == ROUND // CALLS
        await store.commit([Change((Settle(TaskEvent.SUCCEEDED, RESULT),), delivery.fence) for delivery in given])
    clock.advance(10)
    await store.retain(10 * ROUND)


async def measure(store: RedisStore, tasks: int) -> Size:
    """The size now."""
    info = await store.server.command("INFO", "memory")
    return Size(tasks, int(info["used_memory"]), int(await store.server.command("DBSIZE")))


async def run(url: str, seconds: float) -> list[Size]:
    """Rounds for so many seconds; the size after each one, but for those in which the first tasks are still kept."""
    clock = ManualClock()
    store = await open_store(url, StoreOptions(clock=clock, namespace=new_id()))
    await store.declare_limits([LIMIT])
    sizes: list[Size] = []
    begun, rounds = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds or len(sizes) < 10:
        await run_round(store, clock)
        rounds += 1
        if rounds > 10:
            sizes.append(await measure(store, rounds * ROUND))
    await store.aclose()
    return sizes


def report(sizes: list[Size]) -> bool:
    """Print ten of the sizes; whether the second half is no larger than the first."""
    print(f"{'tasks':>10} {'used_memory':>14} {'keys':>6}")
    for size in sizes[:: max(1, len(sizes) // 10)]:
        print(f"{size.tasks:10,} {size.used_memory:14,} {size.keys:6}")
    half = len(sizes) // 2
    first, second = (max(size.used_memory for size in part) for part in (sizes[:half], sizes[half:]))
    keys = {size.keys for size in sizes}
    is_flat = second <= first * TOLERANCE and max(keys) - min(keys) <= 1
    print(f"at most {first:,} bytes in the first half, {second:,} in the second: {'flat' if is_flat else 'it grows'}")
    return is_flat


@contextmanager
def server() -> Generator[str]:
    """A server of our own, while it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        started = RedisServer(Path(folder), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec").start()
        try:
            yield started.url
        finally:
            started.stop()


def main() -> None:
    """Measure, print, and say by the exit code whether it holds."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    if len(sys.argv) > 2:
        sizes = asyncio.run(run(sys.argv[2], seconds))
    else:
        with server() as url:
            sizes = asyncio.run(run(url, seconds))
    sys.exit(0 if report(sizes) else 1)


if __name__ == "__main__":
    main()
