"""Leasing and rescuing: what a worker gets, under which fence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import asyncpg

from stem.adapters.postgres.rows import columns, load_backoff
from stem.adapters.postgres.statements import Book
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.fairness import Credits, share
from stem.contracts.losses import count_loss
from stem.contracts.store import MAX_LEASE_BYTES, Delivery, LeaseAnswer, LeaseRequest, Suspect, TakeRequest
from stem.tasks.options import Ack
from stem.tasks.state import TaskEvent, TaskState, advance

__all__ = ["GRACE", "find_suspects", "lease_messages", "take_messages"]

GRACE: Final[Micros] = 1_000_000
"""For so long, and a third of its length, no lease is a suspect."""
_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value
_THAWED: Final = 1_000
"""So many parked messages, whose pause is over, find their place again in one call."""
_ROUNDS: Final = 3
"""What another worker took away meanwhile is looked for elsewhere so many times."""


@dataclass(slots=True)
class _Asking:
    """One lease call: what was given so far, and what the last statement said beside it."""

    connection: asyncpg.Connection
    book: Book
    request: LeaseRequest
    given: list[Delivery]
    is_full: bool = False
    """There was more than fits into one answer."""
    was_given_before: bool = False
    next_due: Micros | None = None
    thawed: bool = False
    frozen: bool = False
    """There are parked messages whose pause is over, and nothing was given therefore."""
    closing: bool = False
    """There are groups that have their answer and may have members in line."""

    @property
    def missing(self) -> int:
        return self.request.limit - len(self.given)

    def answer(self) -> LeaseAnswer:
        due = None if self.missing <= 0 else 0 if self.is_full else self.next_due
        return LeaseAnswer(tuple(self.given), due)


async def lease_messages(
    connection: asyncpg.Connection, book: Book, request: LeaseRequest, owed: Credits
) -> tuple[LeaseAnswer, Credits, bool]:
    """Lease what is due, one statement for each round, and the credits of the queues after it.

    Beside it, whether there are groups with an answer, whose members are to be looked for.
    """
    asking = _Asking(connection, book, request, [])
    owed = await _claim_all(asking, owed)
    if asking.frozen:
        await book.fetch(connection, "thaw", queues=list(request.queues), most=_THAWED)
        asking.thawed = True
        owed = await _claim_all(asking, owed)
    if asking.was_given_before and not asking.given:
        return LeaseAnswer(await _held(connection, book, request.request_id)), owed, False
    return asking.answer(), owed, asking.closing


async def _claim_all(asking: _Asking, owed: Credits) -> Credits:
    request = asking.request
    if len(request.queues) > 1:
        return await _claim_by_turns(asking, owed)
    await _claim(asking, dict.fromkeys(request.queues, request.limit))
    return owed


async def _claim_by_turns(asking: _Asking, owed: Credits) -> Credits:
    """Divide the limit by weights over the queues that have something."""
    weights = asking.request.queues
    for _ in range(_ROUNDS):
        arguments = {"queues": list(weights), "quotas": [asking.missing] * len(weights)}
        fingerprint = asking.request.fingerprint
        rows = await asking.book.fetch(asking.connection, "available", **arguments, fingerprint=fingerprint)
        available = {cast("str", row[0]): cast("int", row[1]) for row in rows}
        weights = {queue: weights[queue] for queue in available}
        counts, after = _shared(owed, weights, available, asking.missing)
        before = len(asking.given)
        await _claim(asking, counts)
        taken = Counter(delivery.queue for delivery in asking.given[before:])
        owed = after if taken else owed
        weights = {queue: weight for queue, weight in weights.items() if taken[queue] >= counts.get(queue, 0)}
        if asking.missing <= 0 or asking.is_full or asking.frozen or not weights:
            break
    return owed


def _shared(
    owed: Credits, weights: Mapping[str, int], available: Mapping[str, int], limit: int
) -> tuple[dict[str, int], Credits]:
    if len(weights) < 2:
        return {queue: min(available[queue], limit) for queue in weights}, owed
    counts, after = share(owed, weights, available, limit)
    return {queue: count for queue, count in counts.items() if count}, after


async def _claim(asking: _Asking, quotas: Mapping[str, int]) -> None:
    """Take up to so many of each queue, in one statement that passes over what others are taking."""
    request, given = asking.request, asking.given
    rows = await asking.book.fetch(
        asking.connection,
        "claim",
        queues=list(quotas),
        quotas=list(quotas.values()),
        asked=list(request.queues),
        given=len(given),
        thawed=asking.thawed,
        nonce=request.request_id,
        fingerprint=request.fingerprint,
        names=list(request.leases),
        lengths=list(request.leases.values()),
        lease=request.lease,
        state=_RUNNING,
        worker=request.worker,
        started=request.started,
        bytes=MAX_LEASE_BYTES - sum(len(delivery.body) for delivery in given),
    )
    asking.next_due, asking.was_given_before = rows[0]["next_due"], rows[0]["held"]
    asking.frozen, asking.closing = rows[0]["frozen"] and not given, rows[0]["closing"]
    claimed = [] if rows[0]["id"] is None else rows
    asking.is_full = bool(claimed) and len(claimed) < claimed[0]["tally"]
    given.extend(_delivery(row, request.request_id) for row in claimed)


def _delivery(row: asyncpg.Record, nonce: str) -> Delivery:
    """A delivery from the columns of the fragment `message`, in their order."""
    return Delivery(
        fence=Fence(row[0], row[16], nonce),
        body=row[3],
        name=row[1],
        queue=row[2],
        attempt=row[4],
        max_retries=row[5],
        generation=row[6],
        deliveries=row[7],
        crashes=row[8],
        lost=row[9],
        lease=row[17],
        published_at=row[10],
        expires_at=row[11],
        expired=bool(row[12]),
        ignore_result=row[13],
        started=row[18],
        cancel_requested=row[14],
        parks=row[15],
    )


def _rescued(row: asyncpg.Record, nonce: str) -> Delivery:
    """What a lease call gave, or a sweeper took: with the evidence of the lost attempt, where there is one."""
    delivery = _delivery(row, nonce)
    if row["lost_by"] is None:
        return delivery
    return delivery._replace(
        started=row["lost_started"],
        lost_by=row["lost_by"],
        backoff=load_backoff(row["lost_backoff"]),
        ack=cast("Ack", row["lost_ack"] or "late"),
    )


async def _held(connection: asyncpg.Connection, book: Book, nonce: str) -> tuple[Delivery, ...]:
    """What a call gave and is still held, for the same call sent again."""
    return tuple(_rescued(row, nonce) for row in await book.fetch(connection, "held", nonce=nonce))


async def find_suspects(connection: asyncpg.Connection, book: Book) -> tuple[tuple[Suspect, ...], bool]:
    """Leases that were not renewed in time, and those that end later than they can; calls of which none is held go.

    Beside them, whether anything is leased at all.
    """
    rows = await book.fetch(connection, "suspects", grace=GRACE)
    late = tuple(Suspect(Fence(row[0], row[1], row[2]), row[3], row[4], row[5]) for row in rows if row[0] is not None)
    return late, bool(rows[0]["any_held"])


async def take_messages(connection: asyncpg.Connection, book: Book, request: TakeRequest) -> tuple[Delivery, ...]:
    """Take over those whose fence and expiry are still what the sweeper saw, in one transaction."""
    if request.suspects:
        rows = await _lost(connection, book, request.suspects)
        if rows:
            given = columns(("task", "lost_nonce", "crashes", "lost", "attempt"), rows)
            arguments = {"nonce": request.request_id, "worker": request.worker, "lease": request.lease}
            await book.fetch(connection, "take", **given, **arguments)
    return await _held(connection, book, request.request_id)


async def _lost(connection: asyncpg.Connection, book: Book, suspects: Sequence[Suspect]) -> list[tuple[object, ...]]:
    """The lost ones, locked in the order of their ids, with the loss counted."""
    ordered = sorted(suspects, key=lambda suspect: suspect.fence.task_id)
    seen = [(s.fence.task_id, s.fence.nonce, s.fence.counter, s.lease_until) for s in ordered]
    rows = await book.fetch(connection, "lost", **columns(("task", "nonce", "counter", "until"), seen))
    return [
        (
            row["id"],
            row["nonce"],
            *count_loss(started=row["started"], crashes=row["crashes"], lost=row["lost"], attempt=row["attempt"]),
        )
        for row in rows
    ]
