"""Pauses and revocations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stem.adapters.memory.base import Part
from stem.contracts.control import Pause, Revocation
from stem.contracts.store import Notice

__all__ = ["ControlTables"]


class ControlTables(Part):
    """See `Control`."""

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """See `Control.pause`."""
        with self._lock:
            pause = self._tables.pauses.get(queue) or Pause(queue=queue, since=self._clock.now())
            self._tables.pauses[queue] = replace(pause, reason=reason)

    async def resume(self, queue: str) -> bool:
        """See `Control.resume`."""
        with self._lock:
            pause = self._tables.pauses.pop(queue, None)
        if pause is not None:
            self._ears.tell(Notice(frozenset({queue})))
        return pause is not None

    async def pauses(self) -> tuple[Pause, ...]:
        """See `Control.pauses`."""
        with self._lock:
            return tuple(pause for _, pause in sorted(self._tables.pauses.items()))

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """See `Control.revoke`."""
        known = self._tables.revocations
        with self._lock:
            for revocation in revocations:
                before = known.get(revocation.task_id)
                if before is None or before.version < revocation.version:
                    known[revocation.task_id] = revocation
            return tuple(known[revocation.task_id] for revocation in revocations)

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """See `Control.revocations`."""
        with self._lock:
            rows = sorted((row.version, row.task_id) for row in self._tables.revocations.values() if self._holds(row))
            behind = [task_id for version, task_id in rows if after is None or (version, task_id) > after]
            return tuple(self._tables.revocations[task_id] for task_id in behind[:limit])

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """See `Control.revoked`."""
        with self._lock:
            rows = (self._tables.revocations.get(task_id) for task_id in dict.fromkeys(ids))
            return tuple(row for row in rows if row is not None and self._holds(row))

    def _holds(self, revocation: Revocation) -> bool:
        return revocation.expires_at is None or revocation.expires_at > self._clock.now()
