"""pgqueuer in batches of 200; its results are a status without a value, awaited with a pause of 1 ms instead of 50."""

import asyncio
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.core.completion import CompletionWatcher
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.peers.inside import run, url
from benchmarks.peers.marks import mark


class Producer:
    """A pool, and one watcher of what ends from when it is first needed: it asks again at each change of the table."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        driver = AsyncpgPoolDriver(pool)
        self.queries = Queries(driver)
        self._watcher = CompletionWatcher(driver, queries=self.queries, debounce=timedelta(milliseconds=1))
        self._watching: asyncio.Task[object] | None = None

    async def watcher(self) -> CompletionWatcher:
        self._watching = self._watching or asyncio.ensure_future(self._watcher.__aenter__())
        await self._watching
        return self._watcher


PRODUCER: list[Producer] = []


async def start() -> None:
    producer = Producer(await asyncpg.create_pool(url(), min_size=20, max_size=20))
    await producer.queries.install()
    PRODUCER.append(producer)


async def enqueue(number: int) -> int:
    (job,) = await PRODUCER[0].queries.enqueue("noop", str(number).encode())
    return job


async def result(job: int) -> None:
    status = await (await PRODUCER[0].watcher()).wait_for(job)
    assert status == "successful", status


def work() -> None:
    run(_work())


async def _work() -> None:
    queue = PgQueuer.from_asyncpg_pool(await asyncpg.create_pool(url(), min_size=4, max_size=20))

    @queue.entrypoint("noop")
    async def noop(job: Job) -> None:
        mark(int(job.payload))

    await queue.run(batch_size=200)
