"""What operators tell the workers through the store: pauses of queues, and revocations of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stem.clock import Micros

__all__ = ["Control", "Pause", "Revocation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A queue from which nothing is leased."""

    queue: str
    since: Micros
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A task id that is not to run, known to the store or not. Of two for one id, the higher version holds."""

    task_id: str
    version: int
    terminate: bool = False
    reason: str = ""
    requested_by: str = ""
    expires_at: Micros | None = None
    """By the store's clock; `None` for a revocation that holds for ever."""


class Control(Protocol):
    """Pauses and revocations. Both survive restarts of workers and, on a durable engine, of everything."""

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """From now on no lease call gives a message of this queue; what is leased goes on.

        A queue that is paused keeps its first time and gets the new reason. It need not have a record.
        """
        ...

    async def resume(self, queue: str) -> bool:
        """End the pause and wake who waits for the queue; whether it was paused."""
        ...

    async def pauses(self) -> tuple[Pause, ...]:
        """The paused queues, by name."""
        ...

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """Record each whose version is above the recorded one's; for each id, in order, the one that now holds."""
        ...

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """Those not expired, by (version, task id), from the one behind `after` on."""
        ...

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """The revocations, not expired, of these ids."""
        ...
