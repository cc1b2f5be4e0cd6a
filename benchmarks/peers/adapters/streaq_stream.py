"""streaq with 100 places, and more connections than it opens by default, because each waiter holds one."""

from streaq import Worker
from streaq.task import Task

from benchmarks.peers.inside import url
from benchmarks.peers.marks import mark

WORKER = Worker(
    redis_url=url(), redis_kwargs={"max_connections": 400}, concurrency=100, anyio_kwargs={"use_uvloop": True}
)


@WORKER.task
async def noop(number: int) -> int:
    mark(number)
    return number


async def start() -> None:
    await WORKER.__aenter__()


async def enqueue(number: int) -> Task:
    return await noop.enqueue(number)


async def result(job: Task) -> int:
    return (await job.result(30)).result


def work() -> None:
    WORKER.run_sync()
