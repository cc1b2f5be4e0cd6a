"""Schedules under compare-and-set."""

from __future__ import annotations

import sqlite3
from typing import Any

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import cut
from stem.adapters.sqlite.statements import execute
from stem.clock import Micros
from stem.contracts.changes import FireSchedule
from stem.contracts.schedules import ScheduleRecord

__all__ = [
    "delete_schedule",
    "due_schedules",
    "find_schedule",
    "fire_schedule",
    "list_schedules",
    "put_schedule",
]


def put_schedule(
    connection: sqlite3.Connection,
    schedule: str,
    spec: bytes,
    *,
    next_fire: Micros | None,
    enabled: bool,
    expected: int | None,
) -> ScheduleRecord | None:
    """Define a schedule, in the version that is expected; `None` for another one."""
    with transaction(connection):
        before = find_schedule(connection, schedule)
        if expected is not None and expected != (0 if before is None else before.version):
            return None
        due = None if next_fire is None else cut(next_fire)
        parameters = {"schedule": schedule, "spec": spec, "enabled": int(enabled), "next_fire": due}
        execute(connection, "schedules/put", **parameters)
        return find_schedule(connection, schedule)


def delete_schedule(connection: sqlite3.Connection, schedule: str, expected: int | None) -> bool:
    """Whether there was one, in the version that is expected."""
    return bool(execute(connection, "schedules/delete", schedule=schedule, expected=expected).rowcount)


def find_schedule(connection: sqlite3.Connection, schedule: str) -> ScheduleRecord | None:
    """The schedule with this id."""
    row = execute(connection, "schedules/find", schedule=schedule).fetchone()
    return None if row is None else _record(row)


def list_schedules(connection: sqlite3.Connection, limit: int, after: str) -> tuple[ScheduleRecord, ...]:
    """Schedules by id."""
    return tuple(map(_record, execute(connection, "schedules/all", limit=limit, after=after).fetchall()))


def due_schedules(connection: sqlite3.Connection, limit: int, now: Micros) -> tuple[ScheduleRecord, ...]:
    """Enabled ones whose time has come, the oldest first."""
    return tuple(map(_record, execute(connection, "schedules/due", limit=limit, now=now).fetchall()))


def fire_schedule(connection: sqlite3.Connection, write: FireSchedule) -> None:
    """Move a schedule on from where it was found."""
    due = None if write.next is None else cut(write.next)
    execute(connection, "schedules/fire", schedule=write.schedule, expected=write.expected, next=due)


def _record(row: tuple[Any, ...]) -> ScheduleRecord:
    id_, spec, enabled, next_fire, last_fire, version = row
    return ScheduleRecord(
        id=id_, spec=spec, enabled=bool(enabled), next_fire=next_fire, last_fire=last_fire, version=version
    )
