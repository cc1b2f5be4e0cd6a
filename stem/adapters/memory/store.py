"""The store: one lock around the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stem.adapters.memory.apply import apply_change
from stem.adapters.memory.broadcasts import BroadcastTables
from stem.adapters.memory.control import ControlTables
from stem.adapters.memory.groups import GroupTables
from stem.adapters.memory.heartbeats import list_workers, record_beat
from stem.adapters.memory.keeper import MemoryKeeper
from stem.adapters.memory.lease import find_suspects, lease_due, take_lost
from stem.adapters.memory.limits import LimitTables
from stem.adapters.memory.locks import LockTables
from stem.adapters.memory.outcomes import OutcomeTables
from stem.adapters.memory.queries import count_names, count_queues, get_records, get_results, list_page
from stem.adapters.memory.retain import delete_ended, is_pinned
from stem.adapters.memory.schedules import ScheduleTables
from stem.clock import Micros
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
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

__all__ = ["MemoryStore"]


class MemoryStore(GroupTables, ControlTables, BroadcastTables, LockTables, ScheduleTables, OutcomeTables, LimitTables):
    """See `Store`. Every method may be called from any thread and any event loop."""

    @property
    def capabilities(self) -> Capabilities:
        """See `Store.capabilities`."""
        return self._capabilities

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """See `Store.commit`."""
        with self._lock:
            batch = self._batch()
            verdicts = [apply_change(batch, change) for change in changes]
        self._ears.tell(batch.notice())
        return verdicts

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See `Store.lease`."""
        with self._lock:
            batch = self._batch()
            answer = lease_due(batch, request)
        self._ears.tell(batch.notice())
        return answer

    async def suspects(self) -> tuple[Suspect, ...]:
        """See `Store.suspects`."""
        with self._lock:
            return find_suspects(self._tables, self._clock.now())

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """See `Store.take`."""
        with self._lock:
            return take_lost(self._tables, request, self._clock.now())

    def keeper(self) -> Keeper:
        """See `Store.keeper`."""
        return MemoryKeeper(self._tables, self._lock, self._clock)

    def listen(self, listener: Listener) -> Subscription:
        """See `Store.listen`."""
        return self._ears.add(listener)

    async def retain(self, limit: int) -> int:
        """See `Store.retain`."""
        with self._lock:
            batch = self._batch()
            deleted = delete_ended(batch, limit)
        self._ears.tell(batch.notice())
        return deleted

    async def now(self) -> Micros:
        """See `Queries.now`."""
        return self._clock.now()

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """See `Queries.get`."""
        with self._lock:
            return get_records(self._tables, ids)

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """See `Queries.results`."""
        with self._lock:
            return get_results(self._tables, ids, self._clock.now(), even_expired=even_expired)

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """See `Queries.awaited`."""
        with self._lock:
            found = [message for id_ in ids if (message := self._tables.tasks.get(id_)) is not None]
            return frozenset(message.id for message in found if is_pinned(self._tables, message))

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """See `Queries.list_tasks`."""
        with self._lock:
            return list_page(self._tables, where, limit=limit, after=after)

    async def queues(self) -> tuple[QueueCount, ...]:
        """See `Queries.queues`."""
        with self._lock:
            return count_queues(self._tables, self._clock.now())

    async def task_names(self) -> Mapping[str, int]:
        """See `Queries.task_names`."""
        with self._lock:
            return count_names(self._tables)

    async def beat(self, heartbeat: Heartbeat) -> None:
        """See `Heartbeats.beat`."""
        with self._lock:
            ready = record_beat(self._tables, heartbeat, self._clock.now())
        if ready:
            self._ears.tell(Notice(ready))

    async def retire(self, worker: str) -> None:
        """See `Heartbeats.retire`."""
        with self._lock:
            self._tables.workers.pop(worker, None)

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """See `Heartbeats.workers`."""
        with self._lock:
            return list_workers(self._tables, self._clock.now())

    async def aclose(self) -> None:
        """Nothing to close; the data goes with the last reference."""
