"""What can be asked of the store; no answer changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from stem.clock import Micros
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, TaskRecord

__all__ = ["Page", "Queries", "QueueCount", "StoredResult", "TaskFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Conditions that all hold; one that is `None` holds always.

    `since` and `until` (exclusive) are compared with the time of publication, `ended_since` and `ended_until` with the
    end, which a live task does not have.
    """

    states: frozenset[TaskState] | None = None
    queue: str | None = None
    name: str | None = None
    root: str | None = None
    worker: str | None = None
    tag: str | None = None
    since: Micros | None = None
    until: Micros | None = None
    ended_since: Micros | None = None
    ended_until: Micros | None = None
    group: str | None = None
    """Only members of this group, those without a place in it included."""
    dead: bool = False
    """Only what is in the dead letters."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records, the newest publication first. `after` continues the listing; `None` says that it is complete."""

    records: tuple[TaskRecord, ...]
    after: str | None


class StoredResult(NamedTuple):
    """How a task stands, as far as somebody who waits for it needs to know.

    `result` is set when it succeeded and kept its result; `ignored` says that none is stored, and that its producer
    wanted none; `expired` that the result's time is over.
    """

    state: TaskState
    result: bytes | None = None
    error: Failure | None = None
    ignored: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class QueueCount:
    """One queue: how many tasks in each state that occurs; `oldest_due` of those that wait and are due, by the
    store."""

    queue: str
    counts: Mapping[TaskState, int]
    oldest_due: Micros | None


class Queries(Protocol):
    """Looking without touching."""

    async def now(self) -> Micros:
        """The store's clock; also the proof that it answers."""
        ...

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The records of those ids that are known."""
        ...

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """How those of the ids stand that are known.

        With `even_expired`, a result whose time is over is answered as long as it is stored: a continuation reads what
        it waited for, which is kept until it has ended.
        """
        ...

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids whose results a live message still waits for, alone or as members of a group.

        A member with a place counts as long as its group has no answer, or has a live continuation. What is told here
        is what `Store.retain` keeps beyond its time.
        """
        ...

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the tasks for which the filter holds.

        Going through all pages shows every task that existed throughout exactly once.
        """
        ...

    async def queues(self) -> tuple[QueueCount, ...]:
        """Every queue that has a record, by name. An engine may have to read every record for it."""
        ...

    async def task_names(self) -> Mapping[str, int]:
        """Every task name that has a record, with the number of records, at the same cost."""
        ...
