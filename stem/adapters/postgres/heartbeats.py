"""Signs of life, and what the first of them makes due."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import asyncpg

from stem.adapters.postgres.statements import Book
from stem.clock import Micros
from stem.contracts.heartbeats import Heartbeat, WorkerRecord

__all__ = ["list_workers", "record_beat", "retire_worker"]

_MISSED: Final = 3
_SEEN_FOR: Final[Micros] = 3_600_000_000


async def record_beat(connection: asyncpg.Connection, book: Book, heartbeat: Heartbeat) -> frozenset[str]:
    """Record the sign of life; the queues whose parked messages somebody new may be able to run.

    A parked message is due all the time for everybody who did not refuse it; those who might run it need to be told.
    """
    given = {**asdict(heartbeat), "queues": list(heartbeat.queues)}
    (row,) = await book.fetch(connection, "beat", **given, missed=_MISSED, seen_for=_SEEN_FOR)
    return frozenset(row["queues"] or ())


async def retire_worker(connection: asyncpg.Connection, book: Book, worker: str) -> None:
    """Forget a worker."""
    await book.fetch(connection, "retire", worker=worker)


async def list_workers(connection: asyncpg.Connection, book: Book) -> tuple[WorkerRecord, ...]:
    """Every worker seen in the last hour, by name."""
    rows = await book.fetch(connection, "workers", missed=_MISSED, kept=_SEEN_FOR)
    return tuple(_worker(row) for row in rows)


def _worker(row: asyncpg.Record) -> WorkerRecord:
    worker, host, pid, fingerprint, queues, concurrency, running, every, first_seen, last_seen, late = row
    return WorkerRecord(
        heartbeat=Heartbeat(
            worker=worker,
            host=host,
            pid=pid,
            fingerprint=fingerprint,
            queues=tuple(queues),
            concurrency=concurrency,
            running=running,
            every=every,
        ),
        first_seen=first_seen,
        last_seen=last_seen,
        late=late,
    )
