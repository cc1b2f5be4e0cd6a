"""Limits: what is declared, and what is used of it. Lease calls decide by them: see `lua/limits/`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from stem.adapters.redis.changes import cut, dump
from stem.adapters.redis.part import Part
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.store import Notice
from stem.tasks.rates import Rate, opens_at

__all__ = ["LimitsPart"]

_AT_A_TIME: Final = 300
"""Limits of a script call, with two writes for each."""


class LimitsPart(Part):
    """`stem.contracts.limits.Limits` on numbers of the namespace."""

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """From now on these hold for their names. What stands aside is looked at again, 200 allowances in a call."""
        for at in range(0, len(limits), _AT_A_TIME):
            asked = [[limit.name, limit.shared, _text(limit)] for limit in limits[at : at + _AT_A_TIME]]
            for task in await self.server.run("limits/declare", dump(asked)):
                await self._judge_anew(task)

    async def limits(self) -> tuple[TaskLimit, ...]:
        """All limits that are declared, by name."""
        values: list[bytes] = await self.server.run("limits/list")
        return tuple(_limit(values[at].decode(), values[at + 1]) for at in range(0, len(values), 2))

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """How the limits of a name stand for these keys."""
        found = await self.server.run("limits/room", name, rate_key or "", concurrency_key or "")
        if not found:
            return Room()
        text, ahead, holders = found
        limit = _limit(name, text)
        return Room(
            opens_at=None if limit.rate is None else opens_at(limit.rate, int(ahead)),
            holders=None if limit.concurrency is None else int(holders),
            concurrency=limit.concurrency,
        )

    async def _judge_anew(self, task: bytes) -> None:
        from_: bytes | None = b""
        while from_ is not None:
            at, queues = await self.server.run("limits/judge_anew", self.server.channel, self._origin, task, from_)
            self._wake.tell(Notice(frozenset(queue.decode() for queue in queues)))
            from_ = at or None


def _text(limit: TaskLimit) -> str | bool:
    """The limit as scripts read it: shared, interval, tolerance, concurrency; false for none."""
    if limit.rate is None and limit.concurrency is None:
        return False
    rate = (False, False) if limit.rate is None else (cut(limit.rate.interval), cut(limit.rate.tolerance))
    return dump([limit.shared, *rate, False if limit.concurrency is None else cut(limit.concurrency)])


def _limit(name: str, text: bytes) -> TaskLimit:
    found: list[Any] = json.loads(text)
    shared, interval, tolerance, concurrency = found
    rate = None if interval is False else Rate(interval, tolerance)
    return TaskLimit(name=name, shared=shared, rate=rate, concurrency=None if concurrency is False else concurrency)
