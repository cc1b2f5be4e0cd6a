"""Limits as they are declared, and how they stand. What a lease call makes of them is in `gates`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.gates import load_rate
from stem.adapters.sqlite.statements import execute
from stem.adapters.sqlite.write import Writing
from stem.clock import Micros
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.store import Notice
from stem.tasks.rates import opens_at

__all__ = ["declare_limits", "find_room", "list_limits"]

_Row = tuple[str, str, Micros | None, Micros | None, int | None]


def declare_limits(connection: sqlite3.Connection, limits: Sequence[TaskLimit], terms: Terms) -> Notice:
    """Let these hold, in one transaction; whom to tell: those who wait for what is judged anew."""
    with transaction(connection):
        writing = terms.writing(connection)
        for limit in limits:
            _declare(writing, limit)
    return writing.notice()


def _declare(writing: Writing, limit: TaskLimit) -> None:
    before = _find(writing.connection, limit.name)
    after = None if limit.rate is None and limit.concurrency is None else limit
    if after == before:
        return
    if after is None:
        writing.execute("limits/remove", task=limit.name)
    else:
        interval, tolerance = (None, None) if after.rate is None else (after.rate.interval, after.rate.tolerance)
        numbers = {"interval": interval, "tolerance": tolerance, "concurrency": after.concurrency}
        writing.execute("limits/declare", task=after.name, shared=after.shared, **numbers)
    for shared in {known.shared for known in (before, after) if known is not None}:
        told = writing.execute("limits/judge_again", shared=shared, now=writing.now).fetchall()
        writing.queues.update(queue for (queue,) in told)


def list_limits(connection: sqlite3.Connection) -> tuple[TaskLimit, ...]:
    """All that are declared, by name."""
    return tuple(map(_limit, execute(connection, "limits/all").fetchall()))


def find_room(connection: sqlite3.Connection, name: str, rate_key: str, concurrency_key: str) -> Room:
    """How the limits of a name stand for these keys."""
    limit = _find(connection, name)
    if limit is None:
        return Room()
    keys = {"shared": limit.shared, "rate_key": rate_key, "concurrency_key": concurrency_key}
    ahead, holders = execute(connection, "limits/used", **keys).fetchone()
    return Room(
        opens_at=None if limit.rate is None else opens_at(limit.rate, ahead),
        holders=None if limit.concurrency is None else holders,
        concurrency=limit.concurrency,
    )


def _find(connection: sqlite3.Connection, name: str) -> TaskLimit | None:
    row = execute(connection, "limits/one", task=name).fetchone()
    return None if row is None else _limit(row)


def _limit(row: _Row) -> TaskLimit:
    name, shared, interval, tolerance, concurrency = row
    return TaskLimit(name=name, shared=shared, rate=load_rate(interval, tolerance), concurrency=concurrency)
