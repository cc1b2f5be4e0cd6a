"""Workers tell that they live, and what they can run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stem.clock import Micros

__all__ = ["Heartbeat", "Heartbeats", "WorkerRecord"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker as last seen, by the store's clock."""

    heartbeat: Heartbeat
    first_seen: Micros
    last_seen: Micros
    late: bool
    """Whether three beats have been missed."""


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
