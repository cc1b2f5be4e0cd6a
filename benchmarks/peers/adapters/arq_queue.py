"""arq with 100 places, polling every 5 ms on both sides instead of every 500."""

from arq import ArqRedis, Worker, create_pool
from arq.connections import RedisSettings
from arq.jobs import Job

from benchmarks.peers.inside import run, url
from benchmarks.peers.marks import mark

SETTINGS = RedisSettings.from_dsn(url())
POLL = 0.005
POOL: list[ArqRedis] = []


async def noop(context: object, number: int) -> int:
    mark(number)
    return number


async def start() -> None:
    POOL.append(await create_pool(SETTINGS))


async def enqueue(number: int) -> Job:
    return await POOL[0].enqueue_job("noop", number)


async def result(job: Job) -> int:
    return await job.result(poll_delay=POLL)


def work() -> None:
    run(_work())


async def _work() -> None:
    await Worker([noop], redis_settings=SETTINGS, max_jobs=100, poll_delay=POLL).async_run()
