"""taskiq on taskiq-redis's stream broker with its result backend, which is polled every 2 ms instead of every 200."""

import os
import sys

from taskiq import AsyncTaskiqTask
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks.peers.inside import url
from benchmarks.peers.marks import mark

BROKER = RedisStreamBroker(url()).with_result_backend(RedisAsyncResultBackend(url()))


@BROKER.task(task_name="noop")
async def noop(number: int) -> int:
    mark(number)
    return number


async def start() -> None:
    await BROKER.startup()


async def enqueue(number: int) -> AsyncTaskiqTask[int]:
    return await noop.kiq(number)


async def result(job: AsyncTaskiqTask[int]) -> int:
    return (await job.wait_result(check_interval=0.002)).return_value


def work() -> None:
    options = ["--workers", "1", "--max-async-tasks", "100", "--log-level", "WARNING"]
    os.execv(sys.executable, [sys.executable, "-m", "taskiq", "worker", *options, f"{__name__}:BROKER"])
