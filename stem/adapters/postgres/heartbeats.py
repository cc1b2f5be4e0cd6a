"""Signs of life, and what the first of them makes due."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from stem.adapters.postgres.statements import Book
from stem.clock import Micros
from stem.contracts.heartbeats import Heartbeat, WorkerRecord, restored, stored

__all__ = ["list_workers", "record_beat", "retire_worker"]

_MISSED: Final = 3
_SEEN_FOR: Final[Micros] = 3_600_000_000


async def record_beat(connection: asyncpg.Connection, book: Book, heartbeat: Heartbeat) -> frozenset[str]:
    """Record the sign of life; the queues whose parked messages somebody new may be able to run.

    A parked message is due all the time for everybody who did not refuse it; those who might run it need to be told.
    """
    (row,) = await book.fetch(connection, "beat", **stored(heartbeat), missed=_MISSED, seen_for=_SEEN_FOR)
    return frozenset(row["queues"] or ())


async def retire_worker(connection: asyncpg.Connection, book: Book, worker: str) -> None:
    """Forget a worker."""
    await book.fetch(connection, "retire", worker=worker)


async def list_workers(connection: asyncpg.Connection, book: Book) -> tuple[WorkerRecord, ...]:
    """Every worker seen in the last hour, by name."""
    rows = await book.fetch(connection, "workers", missed=_MISSED, kept=_SEEN_FOR)
    return tuple(_record(dict(row)) for row in rows)


def _record(kept: dict[str, Any]) -> WorkerRecord:
    times = {name: kept[name] for name in ("first_seen", "last_seen", "late")}
    return WorkerRecord(heartbeat=restored(kept), **times)
