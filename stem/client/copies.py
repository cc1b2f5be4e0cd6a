"""The copies of broadcasts: waiting until there are some, and those that are meant when their broadcast is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from stem.client.wait import result_of, unknown_id
from stem.clock import Clock, Micros, to_micros
from stem.contracts.store import Store
from stem.errors import BroadcastError, WaitTimeout
from stem.stores.copies import copies_of
from stem.tasks.broadcast import handed_to, is_announcement
from stem.tasks.status import TaskRecord

__all__ = ["cancelled_with", "refuse_broadcast", "wait_for_copies"]

_FIRST_PAUSE: Final[Micros] = 10_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000


async def wait_for_copies(store: Store, task_id: str, timeout: timedelta | None, *, clock: Clock) -> Mapping[str, str]:
    """The id of each worker's copy. Raises what `TaskHandle.copies` raises."""
    deadline = None if timeout is None else clock.elapsed() + to_micros(timeout)
    pause = _FIRST_PAUSE
    while (copies := await _copies(store, task_id)) is None:
        left = pause if deadline is None else deadline - clock.elapsed()
        if left <= 0:
            raise _not_in_time(task_id, timeout)
        await clock.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return copies


async def _copies(store: Store, task_id: str) -> Mapping[str, str] | None:
    """Those that are known, also after it has ended; `None` before it was handed out."""
    record = (await store.get([task_id])).get(task_id)
    if record is None:
        raise unknown_id(task_id)
    if not is_announcement(record.name):
        raise _no_broadcast(record)
    copies = {worker: copy.id for worker, copy in (await copies_of(store, task_id, record.generation)).items()}
    if copies or not record.state.is_terminal:
        return copies or None
    stored = (await store.results([task_id]))[task_id]
    return handed_to(result_of(task_id, stored)) or {}


async def cancelled_with(store: Store, tasks: Iterable[TaskRecord]) -> list[str]:
    """The ids of the copies of those tasks that are broadcasts: what is done to such a one is done to them, too."""
    broadcasts = [task for task in tasks if is_announcement(task.name)]
    found = [await copies_of(store, task.id, task.generation) for task in broadcasts]
    return [copy.id for copies in found for copy in copies.values() if not copy.state.is_terminal]


def refuse_broadcast(task_id: str, result: bytes) -> None:
    """Raises `BroadcastError` for the stored result of a broadcast."""
    copies = handed_to(result)
    if copies is not None:
        raise BroadcastError(
            expected=f"task {task_id} to have one result",
            found=f"a broadcast, with a copy for each of {len(copies)} workers, all of which have ended",
            do="Ask for the results by worker: `(await handle.copies()).result()`.",
        )


def _no_broadcast(record: TaskRecord) -> BroadcastError:
    return BroadcastError(
        expected=f"task {record.id} to be a broadcast",
        found=f"'{record.name}', which one worker runs",
        do="Ask for its result(), or enqueue it with the option broadcast=True.",
    )


def _not_in_time(task_id: str, timeout: timedelta | None) -> WaitTimeout:
    longest = 0.0 if timeout is None else timeout.total_seconds()
    return WaitTimeout(
        expected=f"broadcast {task_id} to be handed out within {longest:g} s",
        found="one that waits for a worker of its queue; it goes on",
        do="Wait again, and check that a worker serves its queue.",
    )
