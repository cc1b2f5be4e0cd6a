"""Signs of life, over the tables."""

from __future__ import annotations

from typing import Final

from stem.adapters.memory.rows import SeenWorker
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.tasks.state import TaskState

__all__ = ["list_workers", "record_beat"]

_REMEMBERED: Final[Micros] = 3_600_000_000
_MISSED: Final = 3


def record_beat(tables: Tables, heartbeat: Heartbeat, now: Micros) -> frozenset[str]:
    """Record the sign of life; the queues whose parked messages somebody new may be able to run."""
    fingerprint = heartbeat.fingerprint
    known = any(
        seen.heartbeat.fingerprint == fingerprint and not _is_late(seen, now) for seen in tables.workers.values()
    )
    before = tables.workers.get(heartbeat.worker)
    first_seen = now if before is None else before.first_seen
    tables.workers[heartbeat.worker] = SeenWorker(heartbeat, first_seen, now)
    return frozenset() if known else _parked_in(tables, frozenset(heartbeat.queues))


def _parked_in(tables: Tables, queues: frozenset[str]) -> frozenset[str]:
    """Parked messages are due all the time; those who might run them need to be told."""
    return frozenset(m.queue for m in tables.tasks.values() if m.state is TaskState.PARKED and m.queue in queues)


def list_workers(tables: Tables, now: Micros) -> tuple[WorkerRecord, ...]:
    """See `Heartbeats.workers`."""
    for name in [name for name, seen in tables.workers.items() if now - seen.last_seen > _REMEMBERED]:
        del tables.workers[name]
    return tuple(
        WorkerRecord(
            heartbeat=seen.heartbeat,
            first_seen=seen.first_seen,
            last_seen=seen.last_seen,
            late=_is_late(seen, now),
        )
        for _, seen in sorted(tables.workers.items())
    )


def _is_late(seen: SeenWorker, now: Micros) -> bool:
    return now - seen.last_seen > _MISSED * seen.heartbeat.every
