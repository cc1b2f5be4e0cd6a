"""Pauses and revocations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import cut, dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock, Micros
from stem.contracts.control import Pause, Revocation

__all__ = [
    "find_revoked",
    "list_pauses",
    "list_revocations",
    "pause_queue",
    "resume_queue",
    "revoke_tasks",
]

_BEFORE_ALL: Final = (-(1 << 62), "")


def pause_queue(connection: sqlite3.Connection, queue: str, reason: str, now: Micros) -> None:
    """Lease nothing from this queue from now on."""
    execute(connection, "control/pause", queue=queue, reason=reason, now=now)


def resume_queue(connection: sqlite3.Connection, queue: str) -> bool:
    """Whether the queue was paused, which it is no more."""
    return bool(execute(connection, "control/resume", queue=queue).rowcount)


def list_pauses(connection: sqlite3.Connection) -> tuple[Pause, ...]:
    """The paused queues, by name."""
    rows = execute(connection, "control/pauses").fetchall()
    return tuple(Pause(queue=queue, since=since, reason=reason) for queue, since, reason in rows)


def revoke_tasks(
    connection: sqlite3.Connection, revocations: Sequence[Revocation], clock: Clock
) -> tuple[Revocation, ...]:
    """Record those that are newer; for each the one that holds now, all in one transaction."""
    with transaction(connection):
        now = clock.now()
        return tuple(_revoke(connection, revocation, now) for revocation in revocations)


def _revoke(connection: sqlite3.Connection, revocation: Revocation, now: Micros) -> Revocation:
    execute(
        connection,
        "control/revoke",
        task_id=revocation.task_id,
        version=revocation.version,
        terminate=int(revocation.terminate),
        reason=revocation.reason,
        requested_by=revocation.requested_by,
        expires_at=None if revocation.expires_at is None else cut(revocation.expires_at),
        now=now,
    )
    return _revocation(execute(connection, "control/revocation", task=revocation.task_id).fetchone())


def list_revocations(
    connection: sqlite3.Connection, limit: int, after: tuple[int, str] | None, now: Micros
) -> tuple[Revocation, ...]:
    """Those that hold, by version and id."""
    version, task = after or _BEFORE_ALL
    rows = execute(connection, "control/revocations", version=version, task=task, now=now, limit=limit)
    return tuple(map(_revocation, rows.fetchall()))


def find_revoked(connection: sqlite3.Connection, ids: Sequence[str], now: Micros) -> tuple[Revocation, ...]:
    """Those of these ids that hold."""
    return tuple(map(_revocation, execute(connection, "control/revoked", ids=dump(ids), now=now).fetchall()))


def _revocation(row: tuple[Any, ...]) -> Revocation:
    task, version, terminate, reason, requested_by, expires_at = row
    return Revocation(
        task_id=task,
        version=version,
        terminate=bool(terminate),
        reason=reason,
        requested_by=requested_by,
        expires_at=expires_at,
    )
