"""Workers tell that they live, what they can run, and what they run."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Protocol

from stem.clock import Micros
from stem.tasks.broadcast import private_queue

__all__ = [
    "MOST_TOLD",
    "Heartbeat",
    "Heartbeats",
    "Predecessor",
    "RunningTask",
    "WorkerRecord",
    "longest",
    "restored",
    "serves",
    "stored",
]

MOST_TOLD: Final = 32
"""How many of its running tasks a worker names in a sign of life."""


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task in the hands of a worker when it gave its sign of life."""

    id: str
    name: str
    queue: str
    attempt: int
    ran: Micros
    """For how long the worker had had it then, by the worker's own clock: no two clocks are compared."""


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A worker process that is dead, as its supervisor and its last sign of life know it."""

    worker: str
    code: int
    """Its exit code, or the number of the signal that ended it, below zero."""
    seen_at: Micros
    """Its last sign of life, by the store's clock."""
    memory: int
    """As it told then."""
    last_lines: tuple[str, ...] = ()
    """What it logged last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """One sign of life. `fingerprint` names the worker's registry: which tasks, versions and contracts it can run."""

    worker: str
    host: str
    pid: int
    fingerprint: str
    queues: tuple[str, ...]
    concurrency: int
    running: int
    every: Micros
    """How often the worker means to beat."""
    tasks: tuple[RunningTask, ...] = ()
    """Of what is running, what has run the longest; empty in what was stored before workers told."""
    memory: int = 0
    """How many bytes its process held; 0 when it did not tell."""
    replaces: Predecessor | None = None
    """Whose place it took, where a supervisor started it for one that died."""


def serves(worker: Heartbeat, queue: str) -> bool:
    """Whether this worker takes messages of the queue: one of its own, or its private one."""
    return queue in worker.queues or queue == private_queue(worker.worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker as last seen, by the store's clock."""

    heartbeat: Heartbeat
    first_seen: Micros
    last_seen: Micros
    late: bool
    """Whether three beats have been missed."""

    def since(self, task: RunningTask) -> Micros:
        """When the worker began to have a task of its last sign of life, by the store's clock."""
        return self.last_seen - task.ran


class Heartbeats(Protocol):
    """Signs of life of all workers."""

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Record the sign of life.

        The first beat of a fingerprint that no live worker had makes the parked messages of its queues due at once.
        """
        ...

    async def retire(self, worker: str) -> None:
        """Forget a worker that has stopped; unknown names are no error."""
        ...

    async def workers(self) -> tuple[WorkerRecord, ...]:
        """Every worker seen in the last hour, by name."""
        ...


def longest(tasks: Iterable[RunningTask]) -> tuple[RunningTask, ...]:
    """What a sign of life names: what has run the longest first, and no more than `MOST_TOLD`."""
    return tuple(heapq.nsmallest(MOST_TOLD, tasks, key=lambda task: (-task.ran, task.id)))


def stored(heartbeat: Heartbeat) -> dict[str, object]:
    """What an engine keeps of a sign of life, by field; `tasks` and `replaces` are text, and `None` without any."""
    plain = {field.name: getattr(heartbeat, field.name) for field in fields(heartbeat)}
    rows = [[task.id, task.name, task.queue, task.attempt, task.ran] for task in heartbeat.tasks]
    dead = heartbeat.replaces
    replaces = (
        None if dead is None else json.dumps([dead.worker, dead.code, dead.seen_at, dead.memory, dead.last_lines])
    )
    tasks = json.dumps(rows) if rows else None
    return {**plain, "queues": list(heartbeat.queues), "tasks": tasks, "replaces": replaces}


def restored(kept: Mapping[str, Any]) -> Heartbeat:
    """The sign of life of what is kept; what an older release did not keep is empty, what a newer one adds is left."""
    plain: dict[str, Any] = {field.name: kept[field.name] for field in fields(Heartbeat) if field.name in kept}
    plain["queues"] = tuple(kept["queues"])
    plain["tasks"] = tuple(RunningTask(*row[:5]) for row in json.loads(kept.get("tasks") or "[]"))
    plain["memory"] = kept.get("memory") or 0
    replaces = kept.get("replaces")
    plain["replaces"] = None if replaces is None else _dead(*json.loads(replaces)[:5])
    return Heartbeat(**plain)


def _dead(worker: str, code: int, seen_at: Micros, memory: int, last_lines: Sequence[str] = ()) -> Predecessor:
    return Predecessor(worker, code, seen_at, memory, tuple(last_lines))
