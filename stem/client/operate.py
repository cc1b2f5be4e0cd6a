"""What operators do to many tasks at once, and to whole queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final

from stem.client.control import Controller
from stem.client.copies import cancelled_with
from stem.client.globs import is_glob
from stem.client.inspect import Inspector, check_verdict
from stem.client.revocations import lift, lift_standing
from stem.clock import to_micros
from stem.contracts.changes import Cancel, Change, Discard, Replay, Write
from stem.contracts.control import Pause, Revocation
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Store
from stem.errors import StemError, StoreError
from stem.stores.committer import Committer
from stem.tasks.broadcast import announced_name
from stem.tasks.state import LIVE, WAITING
from stem.tasks.status import TaskRecord

__all__ = ["Operator", "Sweep"]

_BATCH: Final = 200
_NO_DELAY: Final = timedelta(0)
_REVOKED_FOR: Final = timedelta(days=7)
Watch = Callable[[int, int], None]


def _nobody(done: int, total: int, /) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was done to many tasks: the ids of those that were changed, and the errors of those that could not be."""

    ids: tuple[str, ...]
    refused: Mapping[str, StemError] = field(default_factory=dict[str, StemError])


class Operator:
    """Pauses, purges and replays. What is done to many tasks is done in bounded batches, each task on its own.

    Where tasks are chosen by a filter, its name may be a glob; the tasks are then chosen name by name. A process that
    dies on the way has done what it has done; doing it again goes on from there. `watch` is told after each batch how
    many are done, of how many.
    """

    def __init__(self, store: Store, committer: Committer, inspector: Inspector, controller: Controller) -> None:
        self._store = store
        self._committer = committer
        self._inspector = inspector
        self._controller = controller

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """From now on no worker gets anything of this queue; what runs goes on. It lasts until `resume`."""
        await self._store.pause(queue, reason=reason)

    async def resume(self, queue: str) -> bool:
        """End the pause; whether there was one."""
        return await self._store.resume(queue)

    async def pauses(self) -> tuple[Pause, ...]:
        """The paused queues, by name."""
        return await self._store.pauses()

    async def waiting(self, where: TaskFilter, *, limit: int | None = None) -> list[TaskRecord]:
        """What waits, of the tasks for which the filter holds, the newest first."""
        states = WAITING if where.states is None else where.states & WAITING
        return await self._chosen(replace(where, states=states), limit)

    async def dead(self, where: TaskFilter, *, limit: int | None = None) -> list[TaskRecord]:
        """What is in the dead letters, of the tasks for which the filter holds, the newest first."""
        return await self._chosen(replace(where, dead=True), limit)

    async def live(self, where: TaskFilter, *, limit: int | None = None) -> list[TaskRecord]:
        """What has not ended, of the tasks for which the filter holds, the newest first."""
        states = LIVE if where.states is None else where.states & LIVE
        return await self._chosen(replace(where, states=states), limit)

    async def cancel(self, tasks: Sequence[TaskRecord], *, watch: Watch = _nobody) -> Sweep:
        """Cancel tasks. What waits ends at once, and its groups and continuations are told; what runs is asked to.

        Broadcasts are cancelled with their copies.
        """
        ids = [task.id for task in tasks] + await cancelled_with(self._store, tasks)
        return await self._sweep({task: Cancel(task) for task in ids}, watch)

    async def replay(
        self, tasks: Sequence[TaskRecord], *, delay: timedelta = _NO_DELAY, watch: Watch = _nobody
    ) -> Sweep:
        """Queue failed, cancelled or expired tasks again, due after `delay`.

        Each keeps its id and its arguments; all its counters are at zero. The oldest goes first: what another one
        continues must be there before it.
        """
        later = to_micros(delay)
        oldest_first = sorted(tasks, key=lambda task: task.published_at)
        await lift_standing(self._store, [task.id for task in tasks])
        return await self._sweep({task.id: Replay(task.id, task.generation, later) for task in oldest_first}, watch)

    async def discard(self, tasks: Sequence[TaskRecord], *, watch: Watch = _nobody) -> Sweep:
        """Give dead letters up: they stay failed tasks, and are kept no longer than any other."""
        return await self._sweep({task.id: Discard(task.id, task.generation) for task in tasks}, watch)

    async def revoke(
        self,
        ids: Sequence[str],
        *,
        terminate: bool = False,
        reason: str = "",
        requested_by: str = "",
        expires: timedelta | None = _REVOKED_FOR,
    ) -> None:
        """From now on these ids are not to run, known or not, on any worker; for `expires`, or for ever with `None`.

        What waits is cancelled, and what is enqueued under such an id later is cancelled by the worker that gets it.
        What runs is told at once that it was cancelled, and with `terminate` it is stopped. It survives restarts of
        everything. `unrevoke` and a replay take it back. With a broadcast its copies are revoked.
        """
        copies = await cancelled_with(self._store, (await self._store.get(ids)).values())
        ids = list(dict.fromkeys((*ids, *copies)))
        now = await self._store.now()
        until = None if expires is None else now + to_micros(expires)
        revocations = [
            Revocation(
                task_id=task_id,
                version=now,
                terminate=terminate,
                reason=reason,
                requested_by=requested_by,
                expires_at=until,
            )
            for task_id in ids
        ]
        await self._store.revoke(revocations)
        await self._committer.commit_all([Change((Cancel(task_id, terminate),)) for task_id in ids])
        await self._controller.send("revoked", arguments={"ids": list(ids)})

    async def unrevoke(self, ids: Sequence[str]) -> None:
        """These ids may run again. What was cancelled meanwhile stays cancelled, until it is replayed."""
        await lift(self._store, ids)

    async def _chosen(self, where: TaskFilter, limit: int | None) -> list[TaskRecord]:
        chosen: list[TaskRecord] = []
        for each in await self._by_name(where):
            async for record in self._inspector.every_task(each):
                if limit is not None and len(chosen) >= limit:
                    return chosen
                chosen.append(record)
        return chosen

    async def _by_name(self, where: TaskFilter) -> list[TaskFilter]:
        """The filter, or one for each name that its glob matches."""
        pattern = where.name
        if pattern is None or not is_glob(pattern):
            return [where]
        names = await self._store.task_names()
        return [replace(where, name=name) for name in names if _is_meant(name, pattern)]

    async def _sweep(self, writes: Mapping[str, Write], watch: Watch) -> Sweep:
        refused: dict[str, StemError] = {}
        ids = list(writes)
        for first in range(0, len(ids), _BATCH):
            batch = ids[first : first + _BATCH]
            refused |= await self._commit({id_: Change((writes[id_],)) for id_ in batch})
            watch(first + len(batch), len(ids))
        return Sweep(tuple(id_ for id_ in ids if id_ not in refused), refused)

    async def _commit(self, changes: Mapping[str, Change]) -> dict[str, StemError]:
        """The errors of these changes by the ids of their tasks. Raises `StoreUnavailable` for a store that is gone."""
        errors: dict[str, StemError] = {}
        for task_id, verdict in zip(changes, await self._committer.commit_all(list(changes.values())), strict=True):
            if isinstance(verdict, StoreError):
                raise verdict
            try:
                if isinstance(verdict, StemError):
                    raise verdict
                check_verdict(task_id, verdict)
            except StemError as error:
                errors[task_id] = error
        return errors


def _is_meant(name: str, pattern: str) -> bool:
    """Whether a glob matches a name; a broadcast goes by the name of its task, too."""
    return any(fnmatchcase(each, pattern) for each in (name, announced_name(name)))
