"""huey, on Redis or on one SQLite file by its URL: one worker thread, as it starts by default.

On Redis results are pushed (`notify_result`). On SQLite both sides poll every 2 ms instead of every 100 and more, and
nothing waits for the disk (`fsync=False`), which is its fastest.
"""

from huey import Huey, RedisHuey, SqliteHuey
from huey.api import Result

from benchmarks.peers.inside import url
from benchmarks.peers.marks import mark

POLL = 0.002


def _open() -> Huey:
    if url().startswith("redis"):
        return RedisHuey(url=url(), notify_result=True)
    return SqliteHuey(filename=url().removeprefix("sqlite:///"), fsync=False)


HUEY = _open()


@HUEY.task(name="noop")
def noop(number: int) -> int:
    mark(number)
    return number


def start() -> None:
    HUEY.pending_count()


def enqueue(number: int) -> Result:
    return noop(number)


def result(job: Result) -> int:
    return job.get(blocking=True, timeout=30, max_delay=POLL)


def work() -> None:
    HUEY.create_consumer(workers=1, initial_delay=POLL, max_delay=POLL).run()
