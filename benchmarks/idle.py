"""What a worker costs that has nothing to do: queries a second, and how much of a core.

    python benchmarks/idle.py [seconds]

On each engine one worker process, at default settings, is left alone for a while and then watched for so many seconds
(30 where nothing is said). Redis counts the calls that came over a connection, PostgreSQL the transactions of the
database; SQLite has no server that could count. Servers are started on free ports and stopped again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import asyncpg
import redis.asyncio
from harness import Row, print_report
from peers.places import places_of
from peers.roster import Engine

from stem import Registry, Stem, task

SETTLED = 20.0
"""Seconds in which a worker has begun, has looked at everything once and has slowed down."""
OWN_CALLS = {"cmdstat_evalsha", "cmdstat_fcall", "cmdstat_eval", "cmdstat_ping", "cmdstat_subscribe"}
"""What a connection is asked; the commands that scripts make count for those."""
TICKS = os.sysconf("SC_CLK_TCK")

Count = Callable[[], Awaitable[int]]


@task(name="idle.nothing")
async def nothing() -> None:
    """Is never enqueued."""


async def work(url: str) -> None:
    """The worker process: until it is told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Stem(url) as stem, stem.worker(Registry.of(nothing)):
        await stop.wait()


async def calls_of_redis(url: str) -> int:
    """How often Redis was asked so far."""
    client = redis.asyncio.from_url(url)  # pyright: ignore[reportUnknownMemberType]  # untyped there
    info = cast("Callable[[str], Awaitable[dict[str, dict[str, int]]]]", client.info)  # pyright: ignore[reportUnknownMemberType]  # untyped there
    stats = await info("commandstats")
    await client.aclose()
    return sum(stat["calls"] for name, stat in stats.items() if name in OWN_CALLS)


async def transactions_of_postgres(url: str) -> int:
    """How many transactions the database has seen so far, by a connection to another one."""
    database = urlsplit(url).path[1:]
    connection = await asyncpg.connect(url.removesuffix(database) + "postgres")
    try:
        asked = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1"
        return int(await connection.fetchval(asked, database))
    finally:
        await connection.close()


async def no_queries() -> int:
    """A file counts nothing."""
    return 0


def counter_of(engine: Engine, url: str) -> Count:
    """What counts the queries of this engine."""
    if engine is Engine.REDIS:
        return partial(calls_of_redis, url)
    return partial(transactions_of_postgres, url) if engine is Engine.POSTGRES else no_queries


def cpu_seconds(pid: int) -> float:
    """What the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def watch(engine: Engine, url: str, seconds: float) -> tuple[float, float]:
    """Queries a second, and the share of a core in percent."""
    count = counter_of(engine, url)
    worker = await asyncio.create_subprocess_exec(sys.executable, __file__, "--worker", url)
    try:
        await asyncio.sleep(SETTLED)
        begun, queries, cpu = time.perf_counter(), await count(), cpu_seconds(worker.pid)
        await asyncio.sleep(seconds)
        passed, asked, used = time.perf_counter() - begun, await count() - queries, cpu_seconds(worker.pid) - cpu
        return asked / passed, 100 * used / passed
    finally:
        worker.terminate()
        await worker.wait()


async def measure(seconds: float) -> list[Row]:
    """The rows of all engines, which are watched at the same time."""
    async with AsyncExitStack() as stack:
        urls = {engine: await stack.enter_async_context(stack.enter_context(places_of(engine))()) for engine in Engine}
        found = await asyncio.gather(*(watch(engine, url, seconds) for engine, url in urls.items()))
    rows: list[Row] = []
    for engine, (queries, percent) in zip(urls, found, strict=True):
        rows.append(Row(f"{engine.value}: queries", queries, "/s", target="at most 1/s"))
        rows.append(Row(f"{engine.value}: of a core", percent, "%", target="below 1 %"))
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        asyncio.run(work(sys.argv[2]))
    else:
        print_report("idle worker", "", asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)))
