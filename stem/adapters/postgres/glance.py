"""A lease call: a look at the head of one queue's line, as a rule, and the claim where that is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from stem.adapters.postgres.lease import Asking, lease_by, terms_of, wanted_of
from stem.adapters.postgres.statements import Book
from stem.contracts.fairness import Credits
from stem.contracts.store import LeaseRequest

__all__ = ["lease_messages"]

_SPARE: Final = 50
"""So many are looked at beyond those asked for: some may not be due, or be taken by others at this moment."""


async def lease_messages(
    connection: asyncpg.Connection, book: Book, request: LeaseRequest, owed: Credits, *, among_limits: bool = False
) -> Asking:
    """Lease what is due. Where something has a limit, that is said, and not given.

    `among_limits` is what the last call said. It decides only about what is asked: a call that is wrong asks again, or
    more than it has to.
    """
    asking = Asking(request, owed)
    if not among_limits:
        if len(request.queues) == 1 and await _glance(connection, book, asking):
            return asking
        await lease_by(_AtOnce(connection, book, "claim"), asking)
    if among_limits or asking.limited:
        asking.limited = False
        await lease_by(_AtOnce(connection, book, "limits/claim_at_once"), asking)
    return asking


async def _glance(connection: asyncpg.Connection, book: Book, asking: Asking) -> bool:
    """Lease the first ones of the only queue, by a statement of a third of the claim's plan; whether that is all.

    Nothing is leased of a queue that is paused or has parked messages, while there are limits or groups that have their
    answer, when this call was answered before, or when it is more than fits into one answer.
    """
    request = asking.request
    head = {"queue": next(iter(request.queues)), "limit": request.limit, "most": request.limit + _SPARE}
    rows = await book.fetch(
        connection, "glance", **head, **terms_of(asking), nonce=request.request_id, bytes=asking.bytes_left
    )
    first = rows[0]
    asking.next_due = first["next_due"]
    asking.take(rows)
    return not first["odd"] and (asking.missing <= 0 or not first["cut"])


@dataclass(frozen=True, slots=True)
class _AtOnce:
    """Each round is a statement, which passes over what others are taking.

    `claim` gives nothing once any limit is declared, the other one nothing where one is met.
    """

    connection: asyncpg.Connection
    book: Book
    statement: str
    judges: bool = False

    async def ask(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        return await self.book.fetch(self.connection, name, **parameters)

    async def claim(self, asking: Asking, quotas: Mapping[str, int]) -> None:
        wanted = {**wanted_of(asking), "queues": list(quotas), "quotas": list(quotas.values())}
        asking.give(await self.ask(self.statement, **wanted, **terms_of(asking), bytes=asking.bytes_left))
