"""dramatiq on Redis with its result backend: one process of 8 threads, its default, which fetch 64 ahead."""

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.peers.inside import url
from benchmarks.peers.marks import mark

BROKER = RedisBroker(url=url())
BROKER.add_middleware(Results(backend=RedisBackend(url=url())))
dramatiq.set_broker(BROKER)


@dramatiq.actor(store_results=True)
def noop(number: int) -> int:
    mark(number)
    return number


def start() -> None:
    BROKER.client.ping()


def enqueue(number: int) -> dramatiq.Message:
    return noop.send(number)


def result(job: dramatiq.Message) -> int:
    return job.get_result(block=True, timeout=30_000)


def work() -> None:
    os.environ["dramatiq_queue_prefetch"] = "64"  # noqa: SIM112 - its name is theirs
    options = ["--processes", "1", "--threads", "8", "--skip-logging"]
    os.execv(sys.executable, [sys.executable, "-m", "dramatiq", *options, __name__])
