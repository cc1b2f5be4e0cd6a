"""Declaring limits, and looking at how they stand; who keeps to them is the lease call."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from stem.adapters.postgres.judge import short
from stem.adapters.postgres.limited import limit_of, standing_of
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.part import Part
from stem.adapters.postgres.rows import columns
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.store import Notice
from stem.tasks.rates import opens_at

__all__ = ["LimitsPart"]

_LIMIT = ("name", "shared", "interval", "tolerance", "concurrency")


class LimitsPart(Part):
    """`stem.contracts.limits.Limits`: a row for each limit, and one for what was used of each allowance."""

    _leases: Line

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """From now on these hold for their names; what stands aside is judged anew where something changed.

        No lease call judges while they change, so that none moves a message aside by what held before.
        """
        wanted = {limit.name: limit for limit in limits}
        known = {limit.name: limit for limit in await self.limits()}
        if _changed(wanted, known):
            queues = await self._leases.run_in_transaction(lambda connection: self._declare(connection, wanted))
            self._wake.tell(Notice(frozenset(queues)))

    async def _declare(self, connection: asyncpg.Connection, wanted: dict[str, TaskLimit]) -> list[str]:
        """The queues in which something is to be judged anew."""
        await self._book.fetch(connection, "limits/lock")
        before = {limit.name: limit for limit in await self._found(connection)}
        changed = _changed(wanted, before)
        rows = [_row(wanted[name]) for name in changed if _holds(wanted[name])]
        gone = [name for name in changed if not _holds(wanted[name])]
        await self._book.fetch(connection, "limits/declare", **columns(_LIMIT, rows), gone=gone)
        shared = {limit.shared for name in changed for limit in (wanted[name], before.get(name)) if limit is not None}
        names = {*changed, *(name for name, limit in before.items() if limit.shared in shared)}
        stirred = await self._book.fetch(connection, "limits/judge_anew", names=sorted(names))
        queues = sorted({str(row[0]) for row in stirred})
        if queues:
            await self._book.fetch(connection, "notify", queues=queues, tasks=None)
        return queues

    async def limits(self) -> tuple[TaskLimit, ...]:
        """All limits that are declared, by name."""
        return await self._leases.run(self._found)

    async def _found(self, connection: asyncpg.Connection) -> tuple[TaskLimit, ...]:
        rows = await self._book.fetch(connection, "limits/find")
        return tuple(limit for limit in map(limit_of, rows) if limit is not None)

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """How the limits of a name stand for these keys."""
        keys = {"name": [name], "rate_key": [short(rate_key)], "concurrency_key": [short(concurrency_key)]}
        (row,) = await self._leases.run(lambda connection: self._book.fetch(connection, "limits/standing", **keys))
        standing = standing_of(row)
        limit = standing.limit
        if limit is None:
            return Room()
        return Room(
            opens_at=None if limit.rate is None else opens_at(limit.rate, standing.ahead),
            holders=None if limit.concurrency is None else standing.holders,
            concurrency=limit.concurrency,
        )


def _holds(limit: TaskLimit) -> bool:
    return limit.rate is not None or limit.concurrency is not None


def _changed(wanted: dict[str, TaskLimit], known: dict[str, TaskLimit]) -> list[str]:
    """The names for which something else is to hold than does, in order."""
    return sorted(name for name, limit in wanted.items() if known.get(name) != (limit if _holds(limit) else None))


def _row(limit: TaskLimit) -> tuple[object, ...]:
    rate = limit.rate
    return (
        limit.name,
        limit.shared,
        *((None, None) if rate is None else (rate.interval, rate.tolerance)),
        limit.concurrency,
    )
