"""The store on one schema of a PostgreSQL database: a connection for each kind of work, and who wants to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres import heartbeats, queries
from stem.adapters.postgres.apply import Desk
from stem.adapters.postgres.broadcasts import BroadcastPart
from stem.adapters.postgres.connection import Manner, Server
from stem.adapters.postgres.control import ControlPart
from stem.adapters.postgres.glance import lease_messages
from stem.adapters.postgres.groups import GroupsPart
from stem.adapters.postgres.keeper import PostgresKeeper
from stem.adapters.postgres.lease import find_suspects, take_messages
from stem.adapters.postgres.limited import lease_carefully
from stem.adapters.postgres.limits import LimitsPart
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.locks import LocksPart
from stem.adapters.postgres.migrations import check_schema
from stem.adapters.postgres.outcomes import OutcomesPart
from stem.adapters.postgres.retain import cancel_pointless, delete_ended, end_closed, remove_unsealed
from stem.adapters.postgres.safety import warnings_of
from stem.adapters.postgres.schedules import SchedulesPart
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.url import Place
from stem.adapters.postgres.wake import Wake
from stem.adapters.postgres.warm import warm_up
from stem.adapters.postgres.within import PostgresJoiner
from stem.adapters.postgres.write import Writing
from stem.clock import Clock, Micros
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.fairness import Credits
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.contracts.retention import Retention
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
from stem.errors import StoreError
from stem.ids import new_id
from stem.tasks.status import TaskRecord

__all__ = ["PostgresStore"]

_MOST_POINTLESS: Final = 200
_UNLEASED: Final[Micros] = 3_000_000
"""For so long a look at the leases that found none is good: a lease of 6 s or more is no suspect before."""
T = TypeVar("T")
_CAPABILITIES: Final = Capabilities(durable=True, shared=True)


class PostgresStore(ControlPart, BroadcastPart, LocksPart, SchedulesPart, OutcomesPart, GroupsPart, LimitsPart):
    """`stem.contracts.store.Store` on one schema, which any number of processes on any machines may share.

    Every method that changes something is done whole even when its caller is cancelled. What was committed is as
    durable as the server's `synchronous_commit` says. Every method raises `StoreUnavailable` when the server cannot be
    reached, and connects again at the next call.
    """

    def __init__(self, place: Place, clock: Clock, retention: Retention) -> None:
        server = Server(behind_bouncer=place.pgbouncer)
        self._place = place
        self._server = server
        self._book = Book(place.schema, clock, new_id(), retention)
        self._fenced, self._free, self._keyed, self._leases, self._cleaning = (Line(place, server) for _ in range(5))
        self._reader = Line(place, server, Manner(steady=False))
        self._asides = self._free
        self._steady = self._leases  # whoever waits for results leases nothing, as a rule
        self._largest = _CAPABILITIES.max_value
        self._wake = Wake(place, server, self._book)
        lines = (self._fenced, self._free, self._keyed)
        self._desk = Desk(place, self._book, *lines, self._wake.tell, _CAPABILITIES.max_value)
        self._owed: Credits = {}
        self._among_limits = False
        self._none_late_before: Micros = 0
        self._is_warm = False

    async def check(self) -> None:
        """Connect, and check the schema. Raises what `open_store` raises."""
        await self._leases.run(self._check)

    async def _check(self, connection: asyncpg.Connection) -> None:
        await check_schema(connection, self._place)
        (row,) = await self._book.fetch(connection, "channel")
        self._book.channel = str(row["name"])

    @property
    def capabilities(self) -> Capabilities:
        """Durable, and shared between machines."""
        return _CAPABILITIES

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Apply each change whole or not at all, in sets; one verdict per change, in order.

        A publish whose unique key somebody's open transaction has for more than a second is refused as held up.
        Raises `StoreUnavailable` when the server cannot be reached, or such a transaction has what another change
        needs; each change of the batch is there whole or not at all then.
        """
        if not changes:
            return []
        handed_over = asyncio.ensure_future(self._desk.commit(changes))
        handed_over.add_done_callback(_look_at)
        return await asyncio.shield(handed_over)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Lease what is due; what other workers are leasing at this moment is passed over."""
        among = self._among_limits
        asking = await self._leases.run(
            lambda c: lease_messages(c, self._book, request, self._owed, among_limits=among)
        )
        self._among_limits = asking.among_limits
        if asking.limited:
            await lease_carefully(self._leases, self._book, asking)
        self._owed, answer = asking.owed, asking.answer()
        return await self._without_pointless(answer, request.limit) if asking.closing else answer

    async def _without_pointless(self, answer: LeaseAnswer, limit: int) -> LeaseAnswer:
        """Cancel members of groups that have their answer; where there are more, the next call comes at once."""
        with suppress(StoreError):  # what was leased is to be answered; `retain` does the rest
            more = await self._write(self._leases, lambda writing: cancel_pointless(writing, _MOST_POINTLESS))
            return replace(answer, next_due=0) if more and len(answer.deliveries) < limit else answer
        return answer

    async def suspects(self) -> tuple[Suspect, ...]:
        """Leases that were not renewed in time, by the server's clock.

        Where nothing was leased a moment ago, nothing can be late yet, and the server is not asked.
        """
        asked = self._book.clock.elapsed()
        if asked < self._none_late_before:
            return ()
        suspects, any_held = await self._leases.run(lambda c: find_suspects(c, self._book))
        self._none_late_before = 0 if any_held else asked + _UNLEASED
        return suspects

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """Take over lost deliveries under a new fence, in one transaction."""
        return await self._leases.run_in_transaction(lambda c: take_messages(c, self._book, request))

    def keeper(self) -> Keeper:
        """A blocking renewer with a connection of its own."""
        return PostgresKeeper(self._place, self._server, self._book)

    def listen(self, listener: Listener) -> Subscription:
        """Hear of own commits at once, of others' by LISTEN, and within a second or so without it."""
        return self._wake.listen(listener)

    async def retain(self, limit: int) -> int:
        """Delete up to `limit` ended tasks whose time is over; each kind of work is a transaction of its own."""
        await self._write(self._cleaning, lambda writing: remove_unsealed(writing, limit))
        await self._write(self._cleaning, lambda writing: end_closed(writing, limit))
        deleted = await self._write(self._cleaning, lambda writing: delete_ended(writing, limit))
        await self._cleaning.run(lambda c: queries.fold_tallies(c, self._book))
        return deleted

    async def _write(self, line: Line, work: Callable[[Writing], Awaitable[T]]) -> T:
        """What `work` returns, in one transaction, and the news of it."""

        async def whole(connection: asyncpg.Connection) -> tuple[T, Notice]:
            writing = Writing(connection, self._book, "once")
            return await work(writing), writing.notice()

        value, notice = await line.run_in_transaction(whole)
        self._wake.tell(notice)
        return value

    async def now(self) -> Micros:
        """The server's clock."""
        rows = await self._reader.run(lambda c: self._book.fetch(c, "now"))
        return int(rows[0][0])

    async def warnings(self) -> tuple[str, ...]:
        """What in the server's settings can lose accepted work or makes work slow; and whether nobody can listen."""
        return await self._reader.run(lambda c: warnings_of(c, self._place, self._server))

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The records of those ids that are known."""
        return await self._steady.run(lambda c: queries.find_records(c, self._book, ids))

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """How those of the ids stand that are known."""
        return await self._steady.run(lambda c: queries.find_results(c, self._book, ids, even_expired=even_expired))

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids whose results a live message still waits for."""
        return await self._reader.run(lambda c: queries.find_awaited(c, self._book, ids))

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the tasks for which the filter holds, the newest first."""
        return await self._reader.run(lambda c: queries.list_page(c, self._book, where, limit=limit, after=after))

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue that has a record, by name."""
        return await self._reader.run(lambda c: queries.count_queues(c, self._book))

    async def task_names(self) -> Mapping[str, int]:
        """Every task name that has a record, with the number of records."""
        return await self._reader.run(lambda c: queries.count_names(c, self._book))

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Record the sign of life; the first of a fingerprint wakes those who might run what is parked.

        A worker gives its first one before it leases: after it, what leasing and settling need is ready.
        """
        queues = await self._leases.run(lambda c: heartbeats.record_beat(c, self._book, heartbeat))
        self._wake.tell(Notice(queues))
        if not self._is_warm:
            self._is_warm = True
            await warm_up(self._leases, self._fenced, self._book, heartbeat)

    async def retire(self, worker: str) -> None:
        """Forget a worker that has stopped."""
        await self._leases.run(lambda c: heartbeats.retire_worker(c, self._book, worker))

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen in the last hour, by name."""
        return await self._reader.run(lambda c: heartbeats.list_workers(c, self._book))

    async def joiner(self) -> PostgresJoiner:
        """What writes into transactions of this database that others hold open."""
        rows = await self._reader.run(lambda c: self._book.fetch(c, "home"))
        book = copy(self._book)
        book.sender = new_id()
        return PostgresJoiner(self._place, book, str(rows[0][0]), _CAPABILITIES.max_value)

    async def aclose(self) -> None:
        """Close all connections after what is under way; may be called twice."""
        lines = (self._fenced, self._free, self._keyed, self._leases, self._cleaning, self._reader)
        await asyncio.gather(self._wake.close(), *(line.close() for line in lines))


def _look_at(handed_over: asyncio.Future[T]) -> None:
    """An error that nobody waits for any more needs no report."""
    if not handed_over.cancelled():
        handed_over.exception()
