"""saq, on Redis or PostgreSQL by its URL, with 100 places; results are polled every 2 ms, as `apply` does every 500.

On Redis `job.refresh(until_complete=...)` is pushed: a third less latency, and fewer round trips a second.
"""

import asyncio

from saq import Job, Queue, Worker

from benchmarks.peers.inside import run, url
from benchmarks.peers.marks import mark

POLL = 0.002
QUEUE = Queue.from_url(url())


async def noop(context: object, *, number: int) -> int:
    mark(number)
    return number


async def start() -> None:
    await QUEUE.connect()


async def enqueue(number: int) -> Job:
    return await QUEUE.enqueue("noop", number=number)


async def result(job: Job) -> int:
    while not job.completed:
        await asyncio.sleep(POLL)
        await job.refresh()
    return job.result


def work() -> None:
    run(_work())


async def _work() -> None:
    await QUEUE.connect()
    await Worker(QUEUE, [noop], concurrency=100).start()
