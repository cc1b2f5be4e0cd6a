"""Leasing: which messages a worker gets, under which fence."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Final

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.deliver import (
    DOOMED,
    DUE,
    FENCE,
    ID,
    NAME,
    PRIORITY,
    SEQ,
    SIZE,
    Found,
    delivery,
    held_deliveries,
    read_bodies,
)
from stem.adapters.sqlite.ends import end_pointless
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.adapters.sqlite.write import Writing
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.fairness import Credits, next_turn
from stem.contracts.store import (
    MAX_LEASE_BYTES,
    MOST_CANCELLED,
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
    queues = dump(sorted(request.queues))
    with transaction(connection):
        writing = terms.writing(connection)
        now = writing.now
        ready, held, ended = _wanted(writing, request, queues)
        if held:
            return LeaseAnswer(held_deliveries(connection, held, request.request_id, now)), owed, writing.notice()
        chosen, after = _choose(_by_queue(ready), request, owed)
        fitting = _within_bytes(chosen)
        bodies = _claim(connection, request, fitting, now) if fitting else []
        due = None
        if len(fitting) < request.limit:
            more = len(fitting) < len(chosen) or ended >= MOST_CANCELLED
            due = 0 if more else _next_due(connection, queues, now)
    return LeaseAnswer(_leased(fitting, bodies, request, now), due), after, writing.notice()


def _wanted(writing: Writing, request: LeaseRequest, queues: str) -> tuple[list[Found], list[Found], int]:
    """What is due, what this very request was given before, and how many were cancelled that no group needs."""
    ended = 0
    while True:
        ready, held = _candidates(writing.connection, request, queues, writing.now)
        doomed = [found for found in ready if found[DOOMED]][: MOST_CANCELLED - ended]
        if held or not doomed:
            return [found for found in ready if not found[DOOMED]], held, ended
        end_pointless(writing, [found[ID] for found in doomed])
        ended += len(doomed)


def _candidates(
    connection: sqlite3.Connection, request: LeaseRequest, queues: str, now: Micros
) -> tuple[list[Found], list[Found]]:
    parameters = {
        "queues": queues,
        "now": now,
        "limit": request.limit,
        "nonce": request.request_id,
        "fingerprint": request.fingerprint,
        "quoted": dump(request.fingerprint),
    }
    ready, parked, held = execute(connection, "ready", **parameters).fetchone()
    return [*chain(*json.loads(ready)), *chain(*chain(*json.loads(parked)))], json.loads(held or "[]")


def _by_queue(ready: Sequence[Found]) -> dict[str, list[Found]]:
    """The due messages of each queue, in the order in which they are given out."""
    queues: dict[str, list[Found]] = {}
    for found in ready:
        queues.setdefault(found[4], []).append(found)
    for messages in queues.values():
        messages.sort(key=lambda found: (-found[PRIORITY], found[DUE], found[SEQ]))
    return queues


def _choose(queues: Mapping[str, list[Found]], request: LeaseRequest, owed: Credits) -> tuple[list[Found], Credits]:
    """Up to `limit` messages, in turns while more than one queue has some, and the credits after them."""
    left = {queue: deque(messages) for queue, messages in queues.items()}
    chosen: list[Found] = []
    while len(left) > 1 and len(chosen) < request.limit:
        turn, owed = next_turn(owed, {queue: request.queues[queue] for queue in left})
        chosen.append(left[turn].popleft())
        if not left[turn]:
            del left[turn]
    rest = chain(*left.values())
    return [*chosen, *islice(rest, request.limit - len(chosen))], owed


def _within_bytes(chosen: Sequence[Found]) -> list[Found]:
    """As many as fit into one answer; the first always does."""
    total, fitting = 0, list[Found]()
    for found in chosen:
        total += found[SIZE]
        if fitting and total > MAX_LEASE_BYTES:
            break
        fitting.append(found)
    return fitting


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


def _next_due(connection: sqlite3.Connection, queues: str, now: Micros) -> Micros | None:
    (due,) = execute(connection, "next_due", queues=queues, now=now).fetchone()
    return None if due is None else due - now


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
