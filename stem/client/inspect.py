"""Looking into a store, and the few things an operator does to it: cancel and replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from stem.client.copies import cancelled_with
from stem.client.revocations import lift_standing
from stem.client.wait import unknown_id
from stem.client.why import Why, explain, gather
from stem.clock import Micros, to_micros
from stem.contracts.adapter import Warns
from stem.contracts.changes import Applied, Cancel, Change, RefusalCode, Refused, Replay, Verdict
from stem.contracts.heartbeats import WorkerRecord, serves
from stem.contracts.queries import Page, QueueCount, TaskFilter
from stem.contracts.store import Store
from stem.errors import EnqueueError, InvalidTransition
from stem.stores.committer import Commits
from stem.tasks.state import TaskEvent, allowed_from
from stem.tasks.status import TaskRecord, TaskStatus

__all__ = ["Inspector", "StoreHealth", "check_verdict"]

_PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """Whether work gets done: the store answers, live workers, and queues with due work that no live worker serves."""

    workers: tuple[WorkerRecord, ...]
    queues: tuple[QueueCount, ...]
    unserved: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Nothing that is due waits in a queue without a live worker."""
        return not self.unserved


class Inspector:
    """Everything that a command line or a dashboard asks, from the store itself."""

    def __init__(self, store: Store, commits: Commits) -> None:
        self._store = store
        self._commits = commits

    async def task(self, task_id: str) -> TaskRecord:
        """The full record. Raises `UnknownId`."""
        record = (await self._store.get([task_id])).get(task_id)
        if record is None:
            raise unknown_id(task_id)
        return record

    async def status(self, task_id: str) -> TaskStatus:
        """The status. Raises `UnknownId`."""
        return TaskStatus.of(await self.task(task_id))

    async def why(self, task_id: str) -> Why:
        """Why it is not running, or not finished, in words. Raises `UnknownId`."""
        return explain(await gather(self._store, task_id))

    async def tasks(self, where: TaskFilter, *, limit: int = 50, after: str | None = None) -> Page:
        """A page of tasks, the newest first."""
        return await self._store.list_tasks(where, limit=limit, after=after)

    async def every_task(self, where: TaskFilter) -> AsyncIterator[TaskRecord]:
        """All tasks for which the filter holds, page by page."""
        after: str | None = None
        while True:
            page = await self._store.list_tasks(where, limit=_PAGE, after=after)
            for record in page.records:
                yield record
            if page.after is None:
                return
            after = page.after

    async def dead_letters(self, where: TaskFilter, *, limit: int = 50, after: str | None = None) -> Page:
        """A page of dead letters."""
        return await self._store.list_tasks(replace(where, dead=True), limit=limit, after=after)

    async def now(self) -> Micros:
        """The store's clock, by which the times in records are to be read."""
        return await self._store.now()

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue with its counts."""
        return await self._store.queues()

    async def task_names(self) -> Mapping[str, int]:
        """Every task name with its number of records."""
        return await self._store.task_names()

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen lately."""
        return await self._store.workers()

    async def warnings(self) -> tuple[str, ...]:
        """What in the server's settings can lose accepted work, in sentences; empty where no setting can."""
        return await self._store.warnings() if isinstance(self._store, Warns) else ()

    async def health(self) -> StoreHealth:
        """What `stem health` tells. Raises `StoreUnavailable` when the store does not answer."""
        workers, queues = await self._store.workers(), await self._store.queues()
        alive = [worker.heartbeat for worker in workers if not worker.late]
        due = [count.queue for count in queues if count.oldest_due is not None]
        unserved = tuple(queue for queue in due if not any(serves(worker, queue) for worker in alive))
        return StoreHealth(workers=workers, queues=queues, unserved=unserved)

    async def cancel(self, task_id: str, *, terminate: bool = False) -> TaskStatus:
        """Cancel what waits, ask what runs to end, leave what has ended; a broadcast with its copies.

        Raises `UnknownId`.
        """
        check_verdict(task_id, await self._commits.commit(Change((Cancel(task_id, terminate),))))
        task = await self.task(task_id)
        for copy in await cancelled_with(self._store, [task]):
            check_verdict(copy, await self._commits.commit(Change((Cancel(copy, terminate),))))
        return TaskStatus.of(task)

    async def replay(self, task_id: str, *, delay: timedelta = timedelta(0)) -> TaskStatus:
        """Queue a failed, cancelled or expired task again, due after `delay`.

        Raises `UnknownId`, `InvalidTransition`, `EnqueueError`.
        """
        generation = (await self.task(task_id)).generation
        await lift_standing(self._store, [task_id])
        check_verdict(task_id, await self._commits.commit(Change((Replay(task_id, generation, to_micros(delay)),))))
        return await self.status(task_id)


def check_verdict(task_id: str, verdict: Verdict) -> None:
    """Raise the error that an operator gets for this verdict, unless it is `Applied`."""
    match verdict:
        case Applied():
            return
        case Refused(RefusalCode.UNKNOWN_ID, _):
            raise unknown_id(task_id)
        case Refused(RefusalCode.INVALID_TRANSITION, detail):
            allowed = ", ".join(sorted(state.value for state in allowed_from(TaskEvent.REPLAYED)))
            raise InvalidTransition(
                expected=f"a task that is {allowed}", found=detail or "another state", do="Look at its status first."
            )
        case _:
            raise EnqueueError(
                expected=f"the store to take the change of task {task_id}",
                found=str(verdict),
                do="Look at the task that holds its unique key.",
            )
