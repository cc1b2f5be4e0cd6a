"""Declaring limits and looking at them."""

from __future__ import annotations

from collections.abc import Sequence

from stem.adapters.memory.base import Part
from stem.adapters.memory.batch import Batch
from stem.contracts.limits import Room, TaskLimit
from stem.tasks.rates import opens_at

__all__ = ["LimitTables"]


class LimitTables(Part):
    """See `Limits`."""

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """See `Limits.declare_limits`."""
        with self._lock:
            batch = self._batch()
            for limit in limits:
                _declare(batch, limit)
        self._ears.tell(batch.notice())

    async def limits(self) -> tuple[TaskLimit, ...]:
        """See `Limits.limits`."""
        with self._lock:
            return tuple(limit for _, limit in sorted(self._tables.limits.items()))

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """See `Limits.room`."""
        with self._lock:
            limit = self._tables.limits.get(name)
            if limit is None:
                return Room()
            ahead = self._tables.ahead.get((limit.shared, rate_key or ""), 0)
            holders = self._tables.holders.get((limit.shared, concurrency_key or ""), 0)
            return Room(
                opens_at=None if limit.rate is None else opens_at(limit.rate, ahead),
                holders=None if limit.concurrency is None else holders,
                concurrency=limit.concurrency,
            )


def _declare(batch: Batch, limit: TaskLimit) -> None:
    known = batch.tables.limits
    before = known.pop(limit.name, None)
    holds = limit if limit.rate is not None or limit.concurrency is not None else None
    if holds is not None:
        known[limit.name] = holds
    if holds == before:
        return
    for shared in {row.shared for row in (before, holds) if row is not None}:
        for side in batch.tables.sides.of_task(shared):
            batch.tables.sides.open(side, batch.now)
            batch.queues.add(side.queue)
