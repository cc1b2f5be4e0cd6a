"""The store on one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from stem.adapters.sqlite.answers import Answers
from stem.adapters.sqlite.apply import Outcome, apply_changes
from stem.adapters.sqlite.connection import Database, Place
from stem.adapters.sqlite.desk import CAPABILITIES
from stem.adapters.sqlite.keeper import SqliteKeeper
from stem.adapters.sqlite.lease import lease_messages
from stem.adapters.sqlite.registers import Registers
from stem.adapters.sqlite.rescue import find_suspects, take_messages
from stem.adapters.sqlite.retain import keep_house
from stem.adapters.sqlite.watch import Watch
from stem.adapters.sqlite.within import SqliteJoiner
from stem.contracts.adapter import StoreOptions
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.fairness import Credits
from stem.contracts.store import (
    Delivery,
    Keeper,
    LeaseAnswer,
    LeaseRequest,
    Listener,
    Notice,
    Subscription,
    Suspect,
    TakeRequest,
)

__all__ = ["SqliteStore"]

_Leased: TypeAlias = tuple[LeaseAnswer, Notice]


class SqliteStore(Answers, Registers):
    """`stem.contracts.store.Store` on one file that any number of processes of one machine may share.

    What was committed survives the death of every process, and with `synchronous=full` the loss of power too.
    """

    def __init__(self, place: Place, writer: Database, reader: Database, options: StoreOptions) -> None:
        super().__init__(place, writer, reader, options)
        self._owed: Credits = {}
        self._watch = Watch(self.results, self._wake.tell)

    @property
    def capabilities(self) -> Capabilities:
        """Durable, and shared between processes."""
        return CAPABILITIES

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Apply each change whole or not at all, in one transaction; one verdict per change, in order.

        A caller that is cancelled does not stop the commit. Raises `StoreUnavailable` when the file stays locked,
        `StoreReadOnly`, `StoreFull` or `StoreCorrupt`; each change of the batch is there whole or not at all then.
        """
        if not changes:
            return []

        def work(connection: sqlite3.Connection) -> Outcome:
            return apply_changes(connection, changes, self._terms)

        return (await self._writer.run(work, then=self._tell)).verdicts

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Up to `limit` due messages, leased in one transaction; the same request id answers the same deliveries."""

        def work(connection: sqlite3.Connection) -> _Leased:
            answer, self._owed, notice = lease_messages(connection, request, self._terms, self._owed)
            return answer, notice

        answer, _ = await self._writer.run(work, then=lambda done: self._wake.tell(done[1]))
        return answer

    async def suspects(self) -> tuple[Suspect, ...]:
        """Leases not renewed in time, and those that end later than they can."""
        return await self._reader.run(lambda c: find_suspects(c, self._now()))

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """Take over lost deliveries under a new fence, in one transaction."""
        return await self._writer.run(lambda c: take_messages(c, request, self._clock))

    def keeper(self) -> Keeper:
        """A blocking renewer with a connection of its own."""
        return SqliteKeeper(self._place, self._clock)

    def listen(self, listener: Listener) -> Subscription:
        """Hear of own commits at once, of others' by datagram, and within half a second without it."""
        return self._wake.listen(listener)

    async def retain(self, limit: int) -> int:
        """Delete up to `limit` ended tasks whose time is over, in one transaction."""
        done = self._writer.run(lambda c: keep_house(c, limit, self._terms), then=lambda kept: self._wake.tell(kept[1]))
        return (await done)[0]

    async def joiner(self) -> SqliteJoiner:
        """What writes into transactions of this file that others hold open."""
        return SqliteJoiner(self._place, self._terms, asyncio.get_running_loop(), self._watch.expect)

    async def aclose(self) -> None:
        """Close all connections after what is under way; may be called twice."""
        await self._watch.close()
        await self._writer.close()
        await self._reader.close()
        self._wake.close()

    def _tell(self, outcome: Outcome) -> None:
        for notice in outcome.notices:
            self._wake.tell(notice)
