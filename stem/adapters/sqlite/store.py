"""The store on one SQLite file: a writer, a reader, and who wants to hear of commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from stem.adapters.sqlite import heartbeats, queries
from stem.adapters.sqlite.apply import Outcome, apply_changes
from stem.adapters.sqlite.connection import Database, Place
from stem.adapters.sqlite.keeper import SqliteKeeper
from stem.adapters.sqlite.lease import find_suspects, lease_messages, take_messages
from stem.adapters.sqlite.retain import delete_ended
from stem.adapters.sqlite.sockets import Peers, wake_folder
from stem.adapters.sqlite.wake import Wake
from stem.clock import Clock, Micros
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.fairness import Credits
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
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
from stem.tasks.status import TaskRecord

__all__ = ["SqliteStore"]

T = TypeVar("T")

_CAPABILITIES: Final = Capabilities(durable=True, shared=True)


class SqliteStore:
    """`stem.contracts.store.Store` on one file that any number of processes of one machine may share.

    All writes of this store go through one connection, one transaction after the other; questions are answered by
    another, which never waits for them. What was committed survives the death of every process, and with
    `synchronous=full` the loss of power too.
    """

    def __init__(self, place: Place, writer: Database, reader: Database, clock: Clock) -> None:
        self._place = place
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._owed: Credits = {}
        self._wake = Wake(Peers(wake_folder(place.path)), lambda: writer.run(_data_version))

    @property
    def capabilities(self) -> Capabilities:
        """Durable, and shared between processes."""
        return _CAPABILITIES

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Apply each change whole or not at all, in one transaction; one verdict per change, in order.

        A caller that is cancelled does not stop the commit. Raises `StoreUnavailable` when the file stays locked,
        `StoreReadOnly`, `StoreFull` or `StoreCorrupt`; each change of the batch is there whole or not at all then.
        """
        if not changes:
            return []

        def work(connection: sqlite3.Connection) -> Outcome:
            return apply_changes(connection, changes, self._clock, _CAPABILITIES.max_value)

        return (await self._writer.run(work, then=self._tell)).verdicts

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Up to `limit` due messages, leased in one transaction; the same request id answers the same deliveries."""

        def work(connection: sqlite3.Connection) -> LeaseAnswer:
            answer, self._owed = lease_messages(connection, request, self._clock, self._owed)
            return answer

        return await self._writer.run(work)

    async def suspects(self) -> tuple[Suspect, ...]:
        """Leases not renewed in time, and those that end later than they can."""
        return await self._reader.run(lambda c: find_suspects(c, self._clock.now()))

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
        return await self._writer.run(lambda c: delete_ended(c, limit, self._clock))

    async def now(self) -> Micros:
        """The clock, after the database answered."""
        await self._reader.run(_data_version)
        return self._clock.now()

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The records of those ids that are known."""
        return await self._reader.run(lambda c: queries.find_records(c, ids))

    async def results(self, ids: Sequence[str]) -> Mapping[str, StoredResult]:
        """How those of the ids stand that are known."""
        return await self._reader.run(lambda c: queries.find_results(c, ids, self._clock.now()))

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the tasks for which the filter holds, the newest first."""
        return await self._reader.run(lambda c: queries.list_page(c, where, limit, after))

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue that has a record, by name; reads every record."""
        return await self._reader.run(lambda c: queries.count_queues(c, self._clock.now()))

    async def task_names(self) -> Mapping[str, int]:
        """Every task name that has a record, with the number of records; reads every record."""
        return await self._reader.run(queries.count_names)

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Record the sign of life; the first of a fingerprint wakes those who might run what is parked."""
        queues = await self._writer.run(lambda c: heartbeats.record_beat(c, heartbeat, self._clock))
        self._wake.tell(Notice(queues))

    async def retire(self, worker: str) -> None:
        """Forget a worker that has stopped."""
        await self._writer.run(lambda c: heartbeats.retire_worker(c, worker))

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen in the last hour, by name."""
        return await self._reader.run(lambda c: heartbeats.list_workers(c, self._clock.now()))

    async def in_writer(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns for the connection that writes: for settings and for tests of this engine."""
        return await self._writer.run(work)

    async def aclose(self) -> None:
        """Close all connections after what is under way; may be called twice."""
        await self._writer.close()
        await self._reader.close()
        self._wake.close()

    def _tell(self, outcome: Outcome) -> None:
        for notice in outcome.notices:
            self._wake.tell(notice)


def _data_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
