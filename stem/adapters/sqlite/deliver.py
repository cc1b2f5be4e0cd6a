"""Messages as statements list them, and the deliveries that are made of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, cast

from stem.adapters.sqlite.rows import dump, load_backoff
from stem.adapters.sqlite.statements import execute
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.store import Delivery
from stem.tasks.options import Ack

__all__ = [
    "BEGAN",
    "DOOMED",
    "DUE",
    "FENCE",
    "ID",
    "NAME",
    "PRIORITY",
    "QUEUE",
    "SEQ",
    "SIZE",
    "Found",
    "delivery",
    "held_deliveries",
    "read_bodies",
]

Found = list[Any]
"""A message as `statements._MESSAGE` lists it, and what the asking statement adds."""
SEQ: Final = 0
SIZE: Final = 1
ID: Final = 2
NAME: Final = 3
QUEUE: Final = 4
FENCE: Final = 16
BEGAN: Final = 17
PRIORITY: Final = 18
DUE: Final = 19
DOOMED: Final = 20


def read_bodies(connection: sqlite3.Connection, messages: Sequence[Found]) -> list[bytes]:
    """The envelopes, byte for byte, read as one blob."""
    seqs = dump([found[SEQ] for found in messages])
    whole: bytes = execute(connection, "bodies", seqs=seqs).fetchone()[0]
    bodies: list[bytes] = []
    at = 0
    for found in messages:
        bodies.append(whole[at : at + found[SIZE]])
        at += found[SIZE]
    return bodies


def held_deliveries(
    connection: sqlite3.Connection, messages: list[Found], nonce: str, now: Micros
) -> tuple[Delivery, ...]:
    """What a call gave, for the same call sent again."""
    messages.sort(key=lambda found: found[24])
    return tuple(
        delivery(
            found,
            body,
            Fence(found[ID], found[FENCE], nonce),
            deliveries=found[8],
            lease=found[18],
            started=bool(found[19] if found[20] is None else found[21]),
            now=now,
            lost_by=found[20],
            evidence=(found[22], found[23]),
        )
        for found, body in zip(messages, read_bodies(connection, messages), strict=True)
    )


def delivery(
    found: Found,
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
    """The delivery of a message under this fence."""
    expires_at: Micros | None = found[12]
    backoff, ack = evidence
    return Delivery(
        fence=fence,
        body=body,
        name=found[NAME],
        queue=found[QUEUE],
        attempt=found[5],
        max_retries=found[6],
        generation=found[7],
        deliveries=deliveries,
        crashes=found[9],
        lost=found[10],
        lease=lease,
        published_at=found[11],
        expires_at=expires_at,
        expired=expires_at is not None and expires_at <= now and not found[BEGAN],
        ignore_result=bool(found[13]),
        started=started,
        cancel_requested=bool(found[14]),
        parks=found[15],
        lost_by=lost_by,
        backoff=load_backoff(backoff) if lost_by is not None else None,
        ack=cast("Ack", ack or "late") if lost_by is not None else "late",
    )
