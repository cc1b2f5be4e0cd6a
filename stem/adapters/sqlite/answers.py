"""Questions, answered by the reader's connection, which never waits for a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stem.adapters.sqlite import groups, heartbeats, queries
from stem.adapters.sqlite.desk import Desk, data_version
from stem.clock import Micros
from stem.contracts.groups import GroupRecord
from stem.contracts.heartbeats import Heartbeat, WorkerRecord
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.contracts.store import Notice
from stem.tasks.status import TaskRecord

__all__ = ["Answers"]


class Answers(Desk):
    """`Queries`, `Groups` and `Heartbeats`."""

    async def now(self) -> Micros:
        """The clock, after the database answered."""
        await self._reader.run(data_version)
        return self._now()

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The records of those ids that are known."""
        return await self._reader.run(lambda c: queries.find_records(c, ids))

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """How those of the ids stand that are known."""
        return await self._reader.run(lambda c: queries.find_results(c, ids, self._now(), even_expired=even_expired))

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids whose results a live message still waits for."""
        return await self._reader.run(lambda c: queries.find_awaited(c, ids))

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the tasks for which the filter holds, the newest first."""
        return await self._reader.run(lambda c: queries.list_page(c, where, limit, after))

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue that has a record, by name; reads every record."""
        return await self._reader.run(lambda c: queries.count_queues(c, self._now()))

    async def task_names(self) -> Mapping[str, int]:
        """Every task name that has a record, with the number of records; reads every record."""
        return await self._reader.run(queries.count_names)

    async def group(self, group: str) -> GroupRecord | None:
        """How the group stands."""
        return await self._reader.run(lambda c: groups.find_group(c, group))

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """Places and tasks of the group, by place."""
        return await self._reader.run(lambda c: groups.list_members(c, group, limit, after))

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Record the sign of life; the first of a fingerprint wakes those who might run what is parked."""
        queues = await self._writer.run(lambda c: heartbeats.record_beat(c, heartbeat, self._clock))
        self._wake.tell(Notice(queues))

    async def retire(self, worker: str) -> None:
        """Forget a worker that has stopped."""
        await self._writer.run(lambda c: heartbeats.retire_worker(c, worker))

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen in the last hour, by name."""
        return await self._reader.run(lambda c: heartbeats.list_workers(c, self._now()))
