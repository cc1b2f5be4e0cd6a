"""The store on one namespace of a Redis server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from stem.adapters.redis import heartbeats, queries
from stem.adapters.redis.broadcasts import BroadcastsPart
from stem.adapters.redis.commit import Read, commit_changes, in_batches, send_changes
from stem.adapters.redis.control import ControlPart
from stem.adapters.redis.groups import GroupsPart
from stem.adapters.redis.keeper import RedisKeeper
from stem.adapters.redis.lease import Credits, Leased, find_suspects, lease_messages, send_lease, take_messages
from stem.adapters.redis.limits import LimitsPart
from stem.adapters.redis.locks import LocksPart
from stem.adapters.redis.outcomes import OutcomesPart
from stem.adapters.redis.part import CAPABILITIES
from stem.adapters.redis.safety import read_info, warnings_for
from stem.adapters.redis.schedules import SchedulesPart
from stem.adapters.redis.url import Place
from stem.clock import Clock, Micros
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
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
    Posted,
    Sought,
    Subscription,
    Suspect,
    TakeRequest,
)
from stem.tasks.status import TaskRecord

__all__ = ["RedisStore"]

_MOST_DELETED: Final = 1_000


class RedisStore(ControlPart, BroadcastsPart, LimitsPart, LocksPart, SchedulesPart, OutcomesPart, GroupsPart):
    """`stem.contracts.store.Store` on keys that any number of processes and machines may share.

    Every change of state is a script, which the server runs alone and whole. What was committed is as durable as the
    server's persistence makes it; `warnings` says where that is not enough.
    """

    def __init__(self, place: Place, namespace: str, clock: Clock, retention: Retention | None = None) -> None:
        super().__init__(place, namespace, clock, retention)
        self._owed: Credits = {}

    @property
    def capabilities(self) -> Capabilities:
        """As durable as the server is set up to be, and shared."""
        return CAPABILITIES

    async def warnings(self) -> tuple[str, ...]:
        """What in the server's settings can lose accepted work, as sentences with the advice; empty when nothing is."""
        return warnings_for(await read_info(self.server))

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Apply each change whole or not at all; up to 500 of them in one script call; one verdict per change.

        A caller that is cancelled does not stop the call under way. Raises `StoreUnavailable` when the server does not
        answer, `StoreFull` when its memory is full, and then each change is there whole or not at all.
        """
        verdicts: list[Verdict] = []
        for batch in in_batches(changes):
            verdicts += await self._commit(batch)
        return verdicts

    def post(self, changes: Sequence[Change], told: Posted) -> bool:
        """Commit without a coroutine, over a connection that is open; see `Posts`."""
        hear = partial(self._answered, told)
        return send_changes(self.server, self._origin, changes, largest=CAPABILITIES.max_value, told=hear)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Up to `limit` due messages, at most 1,000, leased in one script call."""
        answer, self._owed, notice = await lease_messages(self.server, self._origin, request, self._owed)
        self._wake.tell(notice)
        return answer

    def seek(self, request: LeaseRequest, told: Sought) -> bool:
        """Lease without a coroutine, over a connection that is open; see `Seeks`."""
        return send_lease(self.server, self._origin, request, self._owed, partial(self._found, told))

    async def suspects(self) -> tuple[Suspect, ...]:
        """Leases not renewed in time, and those that end later than they can; at most some thousands of them."""
        return await find_suspects(self.server)

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """Take over lost deliveries under a new fence, in one script call."""
        return await take_messages(self.server, request)

    def keeper(self) -> Keeper:
        """A blocking renewer with a connection of its own."""
        return RedisKeeper(self.server.route, self._namespace, self._clock)

    def listen(self, listener: Listener) -> Subscription:
        """Hear of own commits at once, of others' by a message, and of lost messages within two seconds."""
        return self._wake.listen(listener)

    async def retain(self, limit: int) -> int:
        """Delete up to `limit` ended tasks whose time is over, at most 1,000 in a script call."""
        deleted = 0
        while deleted < limit:
            wanted = min(limit - deleted, _MOST_DELETED)
            found = await self._retain(wanted)
            deleted += found
            if found < wanted:
                break
        return deleted

    async def now(self) -> Micros:
        """The time by which every script of this store would decide now."""
        return await queries.ask_time(self.server)

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The records of those ids that are known."""
        return await queries.find_records(self.server, ids)

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """How those of the ids stand that are known."""
        return await queries.find_results(self.server, ids, even_expired=even_expired)

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids whose results a live message still waits for."""
        return await queries.find_awaited(self.server, ids)

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the tasks for which the filter holds, the newest first; looks at 2,000 records in a script call."""
        return await queries.list_page(self.server, where, limit, after)

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue that has a record, by name; from tallies, whatever the number of records."""
        return await queries.count_queues(self.server)

    async def task_names(self) -> Mapping[str, int]:
        """Every task name that has a record, with the number of records; from tallies."""
        return await queries.count_names(self.server)

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Record the sign of life; the first of a fingerprint wakes those who might run what is parked."""
        self._wake.tell(Notice(await heartbeats.record_beat(self.server, self._origin, heartbeat)))

    async def retire(self, worker: str) -> None:
        """Forget a worker that has stopped."""
        await heartbeats.retire_worker(self.server, worker)

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen in the last hour, by name."""
        return await heartbeats.list_workers(self.server)

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        await self._wake.aclose()
        await self.server.aclose()

    def _found(self, told: Sought, leased: Leased | None) -> None:
        if leased is None:
            told(None)
            return
        answer, self._owed, notice = leased
        told(answer)
        self._wake.tell(notice)

    async def _retain(self, limit: int) -> int:
        deleted, queues, tasks = await self.server.run("retain", self.server.channel, self._origin, limit)
        ended = tuple(task.decode() for task in tasks)
        self._wake.tell(Notice(frozenset(queue.decode() for queue in queues), ended))
        return int(deleted)

    async def _commit(self, changes: Sequence[Change]) -> list[Verdict]:
        try:
            verdicts, notice = await commit_changes(self.server, self._origin, changes, largest=CAPABILITIES.max_value)
        except asyncio.CancelledError:
            self._wake.heed_own()
            raise
        self._wake.tell(notice)
        return verdicts

    def _answered(self, told: Posted, answer: Read | None) -> None:
        if answer is None:
            told(None)
        else:
            verdicts, notice = answer
            told(verdicts)
            self._wake.tell(notice)
