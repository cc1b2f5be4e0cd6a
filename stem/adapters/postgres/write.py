"""The set-based writes: each is one statement for any number of rows, or two where some were not applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, cast

import asyncpg

from stem.adapters.postgres.rows import (
    CONSUME,
    FENCE,
    PUBLISH,
    REPORT,
    START,
    Columns,
    columns,
    consume_row,
    publish_row,
    report_row,
    start_row,
)
from stem.adapters.postgres.statements import Book, Fetches
from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Change,
    Fence,
    Park,
    Publish,
    Release,
    Report,
    Reschedule,
    Settle,
    Start,
    Verdict,
)
from stem.contracts.retention import keep_for
from stem.contracts.store import Notice
from stem.tasks.state import TERMINAL, TaskEvent, TaskState, outcome_state

__all__ = ["Consuming", "Fenced", "Writing"]

_MEANING: Final[Mapping[str, object]] = {
    "terminal": sorted(state.value for state in TERMINAL),
    "retried": outcome_state(TaskEvent.RETRIED).value,
    "untouched": sorted({outcome_state(TaskEvent.RELEASED).value, outcome_state(TaskEvent.PARKED).value}),
    "kept": keep_for(0, dead=False),
    "kept_dead": keep_for(0, dead=True),
}
"""What follows from the state to which a lease ends: the same for all rows, so it is not in them."""

Consuming = Settle | Reschedule | Release | Bury | Park


@dataclass(frozen=True, slots=True)
class Fenced:
    """One fenced write of a change."""

    fence: Fence
    number: int
    write: Consuming | Start | Report

    @classmethod
    def of(cls, change: Change) -> Fenced:
        """The first write of a change, or the only one."""
        assert change.fence is not None
        return cls(change.fence, change.number, cast("Consuming | Start | Report", change.writes[0]))


@dataclass(slots=True)
class Writing:
    """One statement or transaction under way: its connection, and what it will have to tell.

    Other stores are notified by `each` statement itself, `once` in a transaction of several, or never.
    """

    connection: Fetches
    book: Book
    telling: Literal["each", "once", "never"] = "each"
    queues: set[str] = field(default_factory=set[str])
    tasks: list[str] = field(default_factory=list[str])

    def notice(self) -> Notice:
        """What to tell once this is committed."""
        return Notice(frozenset(self.queues), tuple(self.tasks))

    async def fetch(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement."""
        if self.telling != "each":
            parameters["channel"] = None
        return await self.book.fetch(self.connection, name, **parameters)

    async def tell(self) -> None:
        """Notify the other stores of all of it, when the transaction commits."""
        if self.telling != "never" and (self.queues or self.tasks):
            queues, tasks = sorted(self.queues) or None, self.tasks or None
            await self.book.fetch(self.connection, "notify", queues=queues, tasks=tasks)

    async def publish(self, writes: Sequence[Publish]) -> None:
        """Make messages visible; those with known ids change nothing."""
        rows = [publish_row(write) for write in writes]
        await self.fetch("publish", **columns(PUBLISH, rows), initial=TaskState.QUEUED.value)
        self.queues.update(write.envelope.queue for write in writes)

    async def start(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Mark leased deliveries as started."""
        rows = [start_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Start)]
        done = {row[0] for row in await self.fetch("start", **columns(START, rows))}
        return [APPLIED if m.fence.task_id in done else FENCED for m in members]

    async def report(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Record progress where it is newer."""
        rows = [report_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Report)]
        (row,) = await self.fetch("report", **columns(REPORT, rows))
        done: set[str] = set(row["done"] or ())
        self.tasks.extend(m.fence.task_id for m in members if m.fence.task_id in done)
        return [APPLIED if m.fence.task_id in done else FENCED for m in members]

    async def consume(self, members: Sequence[Fenced]) -> list[Verdict]:
        """End leases: the outcome, or the way back into the queue."""
        return await self._end("consume", members, {})

    async def follow(self, members: Sequence[Fenced], follow_ups: Sequence[Sequence[Publish]]) -> list[Verdict]:
        """End leases, and publish what follows on each of those that were held."""
        rows = [
            publish_row(write, member.fence.task_id)
            for member, writes in zip(members, follow_ups, strict=True)
            for write in writes
        ]
        return await self._end("follow", members, {**columns(PUBLISH, rows), "initial": TaskState.QUEUED.value})

    async def _end(self, name: str, members: Sequence[Fenced], more: Mapping[str, object]) -> list[Verdict]:
        given = columns(CONSUME, [consume_row(m.fence, m.number, cast("Consuming", m.write)) for m in members])
        (row,) = await self.fetch(name, **given, **_MEANING, **more)
        done: set[str] = set(row["done"] or ())
        self.queues.update(row["queues"] or ())
        self.tasks.extend(row["tasks"] or ())
        if len(done) < len(members):
            done |= await self._used(given)
        return [APPLIED if m.fence.task_id in done else FENCED for m in members]

    async def _used(self, given: Columns) -> set[str]:
        """The tasks whose leases were consumed by just these changes before."""
        return {row[0] for row in await self.fetch("used", **{name: given[name] for name in FENCE})}
