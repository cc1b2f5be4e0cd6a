"""Leasing and rescuing: what a worker gets, under which fence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

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

__all__ = [
    "GRACE",
    "Asking",
    "Way",
    "find_suspects",
    "lease_by",
    "take_messages",
    "terms_of",
    "wanted_of",
]

GRACE: Final[Micros] = 1_000_000
"""For so long, and a third of its length, no lease is a suspect."""
_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value
_THAWED: Final = 1_000
"""So many parked messages, whose pause is over, find their place again in one call."""
_MESSAGE: Final = 19
"""How many columns the fragment `message` has."""
_ROUNDS: Final = 3
"""What another worker took away meanwhile is looked for elsewhere so many times."""


class Way(Protocol):
    """How a lease call is made."""

    @property
    def judges(self) -> bool:
        """Whether it takes one message after the other, and notes what each queue is owed."""
        ...

    async def ask(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement that stands alone."""
        ...

    async def claim(self, asking: Asking, quotas: Mapping[str, int]) -> None:
        """Take up to so many of each queue."""
        ...


@dataclass(slots=True)
class Asking:
    """One lease call: what was given so far, and what the last statement said beside it."""

    request: LeaseRequest
    owed: Credits
    given: list[Delivery] = field(default_factory=list[Delivery])
    moved: int = 0
    """How many were moved aside."""
    is_full: bool = False
    """There was more than fits into one answer, or more to be moved aside than one call moves."""
    was_given_before: bool = False
    next_due: Micros | None = None
    next_opening: Micros | None = None
    """Until somebody who stands aside may start by a rate."""
    thawed: bool = False
    frozen: bool = False
    """There are parked messages whose pause is over, and nothing was given therefore."""
    closing: bool = False
    """There are groups that have their answer and may have members in line."""
    limited: bool = False
    """Something has a limit, or may have one, and nothing was given therefore."""
    among_limits: bool = False
    """Limits are declared, for whatever it is."""

    @property
    def missing(self) -> int:
        """How many more are wanted."""
        return self.request.limit - len(self.given)

    @property
    def bytes_left(self) -> int:
        """How much more fits into the answer."""
        return MAX_LEASE_BYTES - sum(len(delivery.body) for delivery in self.given)

    @property
    def is_over(self) -> bool:
        """Whether more of the same adds nothing."""
        return self.missing <= 0 or self.is_full or self.frozen or self.limited or self.was_given_before

    def answer(self) -> LeaseAnswer:
        """What the worker gets."""
        times = [time for time in (self.next_due, self.next_opening) if time is not None]
        due = None if self.missing <= 0 else 0 if self.is_full else max(0, min(times)) if times else None
        return LeaseAnswer(tuple(self.given), due)

    def give(self, rows: Sequence[asyncpg.Record]) -> None:
        """Note what a statement gave, and what it says beside it."""
        first = rows[0]
        self.was_given_before, self.closing, self.limited = first["held"], first["closing"], first["limited"]
        self.among_limits = first["among_limits"]
        self.next_due, self.next_opening = first["next_due"], first["next_opening"]
        self.frozen = first["frozen"] and not self.given
        self.is_full = first["id"] is not None and len(rows) < first["tally"]
        self.take(rows)

    def take(self, rows: Sequence[asyncpg.Record]) -> None:
        """Note the messages that a statement gave: one in each row, or nothing in the only one."""
        if rows[0]["id"] is not None:
            nonce = self.request.request_id
            self.given += [_delivery(row, nonce) for row in rows]


async def lease_by(way: Way, asking: Asking) -> None:
    """Lease what is due. What the same call was given before is given again instead."""
    await _claim_all(way, asking)
    if asking.frozen and not asking.limited:
        await way.ask("thaw", queues=list(asking.request.queues), most=_THAWED)
        asking.thawed = True
        await _claim_all(way, asking)
    if asking.was_given_before:
        rows = await way.ask("held", nonce=asking.request.request_id)
        before = [_rescued(row, asking.request.request_id) for row in rows]
        asking.given, asking.is_full, asking.closing = before, False, False
        asking.next_due = asking.next_opening = None


async def _claim_all(way: Way, asking: Asking) -> None:
    request = asking.request
    if len(request.queues) > 1:
        await _claim_by_turns(way, asking)
    else:
        await way.claim(asking, dict.fromkeys(request.queues, asking.missing))


async def _claim_by_turns(way: Way, asking: Asking) -> None:
    """Divide the limit by weights over the queues that have something."""
    weights = asking.request.queues
    for _ in range(_ROUNDS):
        arguments = {"queues": list(weights), "quotas": [asking.missing] * len(weights)}
        rows = await way.ask("available", **arguments, fingerprint=asking.request.fingerprint)
        available = {cast("str", row[0]): cast("int", row[1]) for row in rows}
        weights = {queue: weights[queue] for queue in available}
        counts, after = _shared(asking.owed, weights, available, asking.missing)
        before = len(asking.given)
        await way.claim(asking, counts)
        taken = Counter(delivery.queue for delivery in asking.given[before:])
        if taken and not way.judges:
            asking.owed = after
        weights = {queue: weight for queue, weight in weights.items() if taken[queue] >= counts.get(queue, 0)}
        if asking.is_over or not weights:
            break


def _shared(
    owed: Credits, weights: Mapping[str, int], available: Mapping[str, int], limit: int
) -> tuple[dict[str, int], Credits]:
    if len(weights) < 2:
        return {queue: min(available[queue], limit) for queue in weights}, owed
    counts, after = share(owed, weights, available, limit)
    return {queue: count for queue, count in counts.items() if count}, after


def wanted_of(asking: Asking) -> dict[str, object]:
    """By which a statement finds what may be given to this worker."""
    request = asking.request
    return {
        "asked": list(request.queues),
        "given": len(asking.given),
        "thawed": asking.thawed,
        "nonce": request.request_id,
        "fingerprint": request.fingerprint,
    }


def terms_of(asking: Asking) -> dict[str, object]:
    """Under which a statement leases to this worker."""
    request = asking.request
    return {
        "names": list(request.leases),
        "lengths": list(request.leases.values()),
        "lease": request.lease,
        "state": _RUNNING,
        "worker": request.worker,
        "started": request.started,
    }


def _delivery(row: asyncpg.Record, nonce: str) -> Delivery:
    """A delivery from the columns of the fragment `message`, in their order."""
    return Delivery(Fence(row[0], row[1], nonce), *row[2:_MESSAGE])


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
