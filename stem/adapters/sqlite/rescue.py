"""Rescuing: which leases stand still, and taking them over."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.deliver import Found, held_deliveries
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock, Micros
from stem.contracts.changes import Fence
from stem.contracts.losses import count_loss
from stem.contracts.store import Delivery, Suspect, TakeRequest

__all__ = ["find_suspects", "take_messages"]

_GRACE: Final[Micros] = 1_000_000


def find_suspects(connection: sqlite3.Connection, now: Micros) -> tuple[Suspect, ...]:
    """Leases that were not renewed in time, and those that end later than they can."""
    (text,) = execute(connection, "suspects", now=now, grace=_GRACE).fetchone()
    return tuple(
        Suspect(Fence(task, counter, nonce), until, lease, bool(expired))
        for task, counter, nonce, until, lease, expired in json.loads(text)
    )


def take_messages(connection: sqlite3.Connection, request: TakeRequest, clock: Clock) -> tuple[Delivery, ...]:
    """Take over those whose fence and expiry are still what the sweeper saw, in one transaction."""
    with transaction(connection):
        now = clock.now()
        rows = [_counted(row) for row in _lost(connection, request.suspects)]
        if rows:
            parameters = {"rows": dump(rows), "nonce": request.request_id, "worker": request.worker, "now": now}
            execute(connection, "take", **parameters, lease=request.lease)
        (held,) = execute(connection, "held", nonce=request.request_id).fetchone()
        messages: list[Found] = json.loads(held)
        return held_deliveries(connection, messages, request.request_id, now) if messages else ()


def _lost(connection: sqlite3.Connection, suspects: Sequence[Suspect]) -> list[list[Any]]:
    rows = dump([[s.fence.task_id, s.fence.nonce, s.fence.counter, s.lease_until] for s in suspects])
    (text,) = execute(connection, "lost", rows=rows).fetchone()
    found: list[list[Any]] = json.loads(text)
    return found


def _counted(row: list[Any]) -> list[object]:
    task, started, crashes, lost, attempt = row
    return [task, *count_loss(started=bool(started), crashes=crashes, lost=lost, attempt=attempt)]
