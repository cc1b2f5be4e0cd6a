"""Signs of life, and what the first of them makes due."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from typing import Any, Final

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock, Micros
from stem.contracts.heartbeats import Heartbeat, WorkerRecord, restored, stored

__all__ = ["list_workers", "record_beat", "retire_worker"]

_MISSED: Final = 3
_SEEN_FOR: Final[Micros] = 3_600_000_000
_KEPT: Final = tuple(field.name for field in fields(Heartbeat))
"""The columns of `workers.sql` before the times, in this order."""


def record_beat(connection: sqlite3.Connection, heartbeat: Heartbeat, clock: Clock) -> frozenset[str]:
    """Record the sign of life; the queues whose parked messages somebody new may be able to run.

    A parked message is due all the time for everybody who did not refuse it; those who might run it need to be told.
    """
    with transaction(connection):
        now = clock.now()
        known = _is_known(connection, heartbeat.fingerprint, now)
        queues = dump(heartbeat.queues)
        execute(connection, "beat", **{**stored(heartbeat), "queues": queues, "now": now})
        execute(connection, "forget_workers", since=now - _SEEN_FOR)
        if known:
            return frozenset()
        (parked,) = execute(connection, "parked_queues", queues=queues).fetchone()
    return frozenset(json.loads(parked))


def _is_known(connection: sqlite3.Connection, fingerprint: str, now: Micros) -> bool:
    parameters = {"fingerprint": fingerprint, "now": now, "missed": _MISSED}
    return bool(execute(connection, "known_fingerprint", **parameters).fetchone()[0])


def retire_worker(connection: sqlite3.Connection, worker: str) -> None:
    """Forget a worker."""
    execute(connection, "retire", worker=worker)


def list_workers(connection: sqlite3.Connection, now: Micros) -> tuple[WorkerRecord, ...]:
    """Every worker seen in the last hour, by name."""
    (text,) = execute(connection, "workers", since=now - _SEEN_FOR).fetchone()
    return tuple(_record(row, now) for row in json.loads(text))


def _record(row: list[Any], now: Micros) -> WorkerRecord:
    *kept, first_seen, last_seen = row
    heartbeat = restored(dict(zip(_KEPT, kept, strict=True)))
    late = now - last_seen > _MISSED * heartbeat.every
    return WorkerRecord(heartbeat=heartbeat, first_seen=first_seen, last_seen=last_seen, late=late)
