"""The task that does nothing, and a worker process that ends when it has run so many of them.

python noop.py URL COUNT CONCURRENCY
"""

from __future__ import annotations

import asyncio
import sys
import time

from stem import Registry, Stem, definition, task
from stem.tasks.state import TaskEvent


@task(max_retries=0)
async def noop(number: int) -> int:
    return number


NOOP = definition(noop)


async def work(url: str, amount: int, concurrency: int) -> None:
    """Run tasks until the results of `amount` are stored; print how many seconds that took a worker that was up."""
    async with Stem(url) as stem, stem.worker(Registry.of(noop), concurrency=concurrency) as worker:
        print("ready", flush=True)
        began = time.perf_counter()
        while worker.stats.of(TaskEvent.SUCCEEDED) < amount:  # noqa: ASYNC110 - cheaper than a signal for each task
            await asyncio.sleep(0.005)
        print(time.perf_counter() - began)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
