"""A store that hands everything on to another one: the base of those that change only some of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from stem.clock import Micros
from stem.contracts.broadcasts import KEEP_BROADCAST, Broadcast
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.control import Pause, Revocation
from stem.contracts.groups import GroupRecord
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.locks import Lock
from stem.contracts.outcomes import Outcome
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import (
    Delivery,
    Keeper,
    LeaseAnswer,
    LeaseRequest,
    Listener,
    Store,
    Subscription,
    Suspect,
    TakeRequest,
)
from stem.tasks.status import TaskRecord

__all__ = ["StoreDelegate"]


class StoreDelegate:
    """See `Store`; each method is the one of the store behind."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def behind(self) -> Store:
        """The store that everything is handed on to."""
        return self._store

    @property
    def capabilities(self) -> Capabilities:
        """See `Store.capabilities`."""
        return self._store.capabilities

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """See `Store.commit`."""
        return await self._store.commit(changes)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See `Store.lease`."""
        return await self._store.lease(request)

    async def suspects(self) -> tuple[Suspect, ...]:
        """See `Store.suspects`."""
        return await self._store.suspects()

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """See `Store.take`."""
        return await self._store.take(request)

    def keeper(self) -> Keeper:
        """See `Store.keeper`."""
        return self._store.keeper()

    def listen(self, listener: Listener) -> Subscription:
        """See `Store.listen`."""
        return self._store.listen(listener)

    async def retain(self, limit: int) -> int:
        """See `Store.retain`."""
        return await self._store.retain(limit)

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._store.aclose()

    async def now(self) -> Micros:
        """See `Queries.now`."""
        return await self._store.now()

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """See `Queries.get`."""
        return await self._store.get(ids)

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """See `Queries.results`."""
        return await self._store.results(ids, even_expired=even_expired)

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """See `Queries.awaited`."""
        return await self._store.awaited(ids)

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """See `Queries.list_tasks`."""
        return await self._store.list_tasks(where, limit=limit, after=after)

    async def queues(self) -> tuple[QueueCount, ...]:
        """See `Queries.queues`."""
        return await self._store.queues()

    async def task_names(self) -> Mapping[str, int]:
        """See `Queries.task_names`."""
        return await self._store.task_names()

    async def beat(self, heartbeat: Heartbeat) -> None:
        """See `Heartbeats.beat`."""
        await self._store.beat(heartbeat)

    async def retire(self, worker: str) -> None:
        """See `Heartbeats.retire`."""
        await self._store.retire(worker)

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """See `Heartbeats.workers`."""
        return await self._store.workers()

    async def group(self, group: str) -> GroupRecord | None:
        """See `Groups.group`."""
        return await self._store.group(group)

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """See `Groups.members`."""
        return await self._store.members(group, limit=limit, after=after)

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """See `Control.pause`."""
        await self._store.pause(queue, reason=reason)

    async def resume(self, queue: str) -> bool:
        """See `Control.resume`."""
        return await self._store.resume(queue)

    async def pauses(self) -> tuple[Pause, ...]:
        """See `Control.pauses`."""
        return await self._store.pauses()

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """See `Control.revoke`."""
        return await self._store.revoke(revocations)

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """See `Control.revocations`."""
        return await self._store.revocations(limit=limit, after=after)

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """See `Control.revoked`."""
        return await self._store.revoked(ids)

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """See `Broadcasts.broadcast`."""
        await self._store.broadcast(channel, body, message_id=message_id, keep=keep)

    async def broadcast_position(self) -> int:
        """See `Broadcasts.broadcast_position`."""
        return await self._store.broadcast_position()

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """See `Broadcasts.broadcasts`."""
        return await self._store.broadcasts(channels, after=after, limit=limit)

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.acquire`."""
        return await self._store.acquire(key, owner, ttl)

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.renew_lock`."""
        return await self._store.renew_lock(key, owner, ttl)

    async def release_lock(self, key: str, owner: str) -> bool:
        """See `Locks.release_lock`."""
        return await self._store.release_lock(key, owner)

    async def lock(self, key: str) -> Lock | None:
        """See `Locks.lock`."""
        return await self._store.lock(key)

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """See `Limits.declare_limits`."""
        await self._store.declare_limits(limits)

    async def limits(self) -> tuple[TaskLimit, ...]:
        """See `Limits.limits`."""
        return await self._store.limits()

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """See `Limits.room`."""
        return await self._store.room(name, rate_key=rate_key, concurrency_key=concurrency_key)

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """See `Schedules.put_schedule`."""
        return await self._store.put_schedule(schedule, spec, next_fire=next_fire, enabled=enabled, expected=expected)

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """See `Schedules.delete_schedule`."""
        return await self._store.delete_schedule(schedule, expected=expected)

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """See `Schedules.schedule`."""
        return await self._store.schedule(schedule)

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """See `Schedules.schedules`."""
        return await self._store.schedules(limit=limit, after=after)

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """See `Schedules.due_schedules`."""
        return await self._store.due_schedules(limit)

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """See `Outcomes.record_outcomes`."""
        return await self._store.record_outcomes(outcomes)

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """See `Outcomes.outcomes`."""
        return await self._store.outcomes(ids)

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """See `Outcomes.old_outcomes`."""
        return await self._store.old_outcomes(limit)

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """See `Outcomes.forget_outcomes`."""
        await self._store.forget_outcomes(ids, needed=needed)
