"""Deleting what has been kept long enough."""

from __future__ import annotations

import json
import sqlite3

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock

__all__ = ["delete_ended"]


def delete_ended(connection: sqlite3.Connection, limit: int, clock: Clock) -> int:
    """Delete up to `limit` ended tasks whose time is over, with the keys they held; how many tasks were deleted."""
    with transaction(connection):
        now = clock.now()
        (text,) = execute(connection, "retain", now=now, limit=limit).fetchone()
        rows = json.loads(text)
        if rows:
            _delete(connection, dump([row[0] for row in rows]))
        keys = dump([[key, task] for _, key, task in rows if key is not None])
        execute(connection, "delete_uniques", keys=keys, now=now)
        execute(connection, "delete_old_uniques", now=now)
    return len(rows)


def _delete(connection: sqlite3.Connection, seqs: str) -> None:
    execute(connection, "delete_tasks", seqs=seqs)
    execute(connection, "delete_envelopes", seqs=seqs)
