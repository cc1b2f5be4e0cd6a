"""Leasing and rescuing: what a worker gets, under which fence."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, cast

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.ends import end_pointless
from stem.adapters.sqlite.rows import dump, load_backoff
from stem.adapters.sqlite.statements import execute
from stem.adapters.sqlite.write import Writing
from stem.clock import Clock, Micros
from stem.contracts.changes import Fence
from stem.contracts.fairness import Credits, next_turn
from stem.contracts.losses import count_loss
from stem.contracts.store import (
    MAX_LEASE_BYTES,
    MOST_CANCELLED,
    Delivery,
    LeaseAnswer,
    LeaseRequest,
    Notice,
    Suspect,
    TakeRequest,
)
from stem.tasks.options import Ack
from stem.tasks.state import TaskEvent, TaskState, advance

__all__ = ["find_suspects", "lease_messages", "take_messages"]

_GRACE: Final[Micros] = 1_000_000
_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value
_Found = list[Any]
"""A message as `statements._MESSAGE` lists it, and what the asking statement adds."""
_SEQ, _SIZE, _ID, _NAME, _FENCE, _BEGAN, _PRIORITY, _DUE, _DOOMED = 0, 1, 2, 3, 16, 17, 18, 19, 20


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
            return LeaseAnswer(_held(connection, held, request.request_id, now)), owed, writing.notice()
        chosen, after = _choose(_by_queue(ready), request, owed)
        fitting = _within_bytes(chosen)
        bodies = _claim(connection, request, fitting, now) if fitting else []
        due = None
        if len(fitting) < request.limit:
            more = len(fitting) < len(chosen) or ended >= MOST_CANCELLED
            due = 0 if more else _next_due(connection, queues, now)
    return LeaseAnswer(_leased(fitting, bodies, request, now), due), after, writing.notice()


def _wanted(writing: Writing, request: LeaseRequest, queues: str) -> tuple[list[_Found], list[_Found], int]:
    """What is due, what this very request was given before, and how many were cancelled that no group needs."""
    ended = 0
    while True:
        ready, held = _candidates(writing.connection, request, queues, writing.now)
        doomed = [found for found in ready if found[_DOOMED]][: MOST_CANCELLED - ended]
        if held or not doomed:
            return [found for found in ready if not found[_DOOMED]], held, ended
        end_pointless(writing, [found[_ID] for found in doomed])
        ended += len(doomed)


def _candidates(
    connection: sqlite3.Connection, request: LeaseRequest, queues: str, now: Micros
) -> tuple[list[_Found], list[_Found]]:
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


def _by_queue(ready: Sequence[_Found]) -> dict[str, list[_Found]]:
    """The due messages of each queue, in the order in which they are given out."""
    queues: dict[str, list[_Found]] = {}
    for found in ready:
        queues.setdefault(found[4], []).append(found)
    for messages in queues.values():
        messages.sort(key=lambda found: (-found[_PRIORITY], found[_DUE], found[_SEQ]))
    return queues


def _choose(queues: Mapping[str, list[_Found]], request: LeaseRequest, owed: Credits) -> tuple[list[_Found], Credits]:
    """Up to `limit` messages, in turns while more than one queue has some, and the credits after them."""
    left = {queue: deque(messages) for queue, messages in queues.items()}
    chosen: list[_Found] = []
    while len(left) > 1 and len(chosen) < request.limit:
        turn, owed = next_turn(owed, {queue: request.queues[queue] for queue in left})
        chosen.append(left[turn].popleft())
        if not left[turn]:
            del left[turn]
    rest = chain(*left.values())
    return [*chosen, *islice(rest, request.limit - len(chosen))], owed


def _within_bytes(chosen: Sequence[_Found]) -> list[_Found]:
    """As many as fit into one answer; the first always does."""
    total, fitting = 0, list[_Found]()
    for found in chosen:
        total += found[_SIZE]
        if fitting and total > MAX_LEASE_BYTES:
            break
        fitting.append(found)
    return fitting


def _claim(connection: sqlite3.Connection, request: LeaseRequest, chosen: list[_Found], now: Micros) -> list[bytes]:
    rows = [
        [found[_SEQ], request.leases.get(found[_NAME], request.lease), int(place < request.started)]
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
    return _bodies(connection, chosen)


def _bodies(connection: sqlite3.Connection, messages: Sequence[_Found]) -> list[bytes]:
    """The envelopes, byte for byte, read as one blob."""
    seqs = dump([found[_SEQ] for found in messages])
    whole: bytes = execute(connection, "bodies", seqs=seqs).fetchone()[0]
    bodies: list[bytes] = []
    at = 0
    for found in messages:
        bodies.append(whole[at : at + found[_SIZE]])
        at += found[_SIZE]
    return bodies


def _next_due(connection: sqlite3.Connection, queues: str, now: Micros) -> Micros | None:
    (due,) = execute(connection, "next_due", queues=queues, now=now).fetchone()
    return None if due is None else due - now


def _leased(
    messages: Sequence[_Found], bodies: Sequence[bytes], request: LeaseRequest, now: Micros
) -> tuple[Delivery, ...]:
    return tuple(
        _delivery(
            found,
            body,
            Fence(found[_ID], found[_FENCE] + 1, request.request_id),
            deliveries=found[8] + 1,
            lease=request.leases.get(found[_NAME], request.lease),
            started=place < request.started,
            now=now,
        )
        for place, (found, body) in enumerate(zip(messages, bodies, strict=True))
    )


def _held(connection: sqlite3.Connection, messages: list[_Found], nonce: str, now: Micros) -> tuple[Delivery, ...]:
    """What a call gave, for the same call sent again."""
    messages.sort(key=lambda found: found[24])
    return tuple(
        _delivery(
            found,
            body,
            Fence(found[_ID], found[_FENCE], nonce),
            deliveries=found[8],
            lease=found[18],
            started=bool(found[19] if found[20] is None else found[21]),
            now=now,
            lost_by=found[20],
            evidence=(found[22], found[23]),
        )
        for found, body in zip(messages, _bodies(connection, messages), strict=True)
    )


def _delivery(
    found: _Found,
    body: bytes,
    fence: Fence,
    *,
    deliveries: int,
    lease: Micros,
    started: bool,
    now: Micros,
    lost_by: str | None = None,
    evidence: tuple[str | None, str | None] = (None, None),
) -> Delivery:
    expires_at: Micros | None = found[12]
    backoff, ack = evidence
    return Delivery(
        fence=fence,
        body=body,
        name=found[_NAME],
        queue=found[4],
        attempt=found[5],
        max_retries=found[6],
        generation=found[7],
        deliveries=deliveries,
        crashes=found[9],
        lost=found[10],
        lease=lease,
        published_at=found[11],
        expires_at=expires_at,
        expired=expires_at is not None and expires_at <= now and not found[_BEGAN],
        ignore_result=bool(found[13]),
        started=started,
        cancel_requested=bool(found[14]),
        parks=found[15],
        lost_by=lost_by,
        backoff=load_backoff(backoff) if lost_by is not None else None,
        ack=cast("Ack", ack or "late") if lost_by is not None else "late",
    )


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
        messages: list[_Found] = json.loads(held)
        return _held(connection, messages, request.request_id, now) if messages else ()


def _lost(connection: sqlite3.Connection, suspects: Sequence[Suspect]) -> list[list[Any]]:
    rows = dump([[s.fence.task_id, s.fence.nonce, s.fence.counter, s.lease_until] for s in suspects])
    (text,) = execute(connection, "lost", rows=rows).fetchone()
    found: list[list[Any]] = json.loads(text)
    return found


def _counted(row: list[Any]) -> list[object]:
    task, started, crashes, lost, attempt = row
    return [task, *count_loss(started=bool(started), crashes=crashes, lost=lost, attempt=attempt)]
