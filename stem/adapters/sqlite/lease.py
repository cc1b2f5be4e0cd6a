"""Leasing: which messages a worker gets, under which fence."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.deliver import (
    FENCE,
    ID,
    NAME,
    SEQ,
    Found,
    delivery,
    held_deliveries,
    read_bodies,
)
from stem.adapters.sqlite.pick import Pick
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.fairness import Credits
from stem.contracts.store import (
    Delivery,
    LeaseAnswer,
    LeaseRequest,
    Notice,
)
from stem.tasks.state import TaskEvent, TaskState, advance

__all__ = ["lease_messages"]

_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value


def lease_messages(
    connection: sqlite3.Connection, request: LeaseRequest, terms: Terms, owed: Credits
) -> tuple[LeaseAnswer, Credits, Notice]:
    """Lease what is due, in one transaction, the credits of the queues after it, and what it ended on the way."""
    with transaction(connection):
        writing = terms.writing(connection)
        now = writing.now
        pick = Pick.of(writing, request, owed)
        if pick.held:
            return LeaseAnswer(held_deliveries(connection, pick.held, request.request_id, now)), owed, writing.notice()
        bodies = _claim(connection, request, pick.messages, now) if pick.messages else []
        due = pick.next_due() if len(pick.messages) < request.limit else None
    return LeaseAnswer(_leased(pick.messages, bodies, request, now), due), pick.owed, writing.notice()


def _claim(connection: sqlite3.Connection, request: LeaseRequest, chosen: list[Found], now: Micros) -> list[bytes]:
    rows = [
        [found[SEQ], request.leases.get(found[NAME], request.lease), int(place < request.started)]
        for place, found in enumerate(chosen)
    ]
    parameters = {
        "rows": dump(rows),
        "state": _RUNNING,
        "nonce": request.request_id,
        "worker": request.worker,
        "now": now,
    }
    execute(connection, "claim", **parameters)
    return read_bodies(connection, chosen)


def _leased(
    messages: Sequence[Found], bodies: Sequence[bytes], request: LeaseRequest, now: Micros
) -> tuple[Delivery, ...]:
    return tuple(
        delivery(
            found,
            body,
            Fence(found[ID], found[FENCE] + 1, request.request_id),
            deliveries=found[8] + 1,
            lease=request.leases.get(found[NAME], request.lease),
            started=place < request.started,
            now=now,
        )
        for place, (found, body) in enumerate(zip(messages, bodies, strict=True))
    )
