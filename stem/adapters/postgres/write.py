"""The set-based writes: each is one statement for any number of rows, or two where some were not applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, cast

import asyncpg

from stem.adapters.postgres.rows import (
    CONSUME,
    FENCE,
    PUBLISH,
    REPORT,
    START,
    Row,
    columns,
    consume_row,
    dump_failure,
    packed,
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
    Refused,
    Release,
    Report,
    Reschedule,
    Settle,
    Start,
    Verdict,
    Write,
)
from stem.contracts.store import Notice
from stem.tasks.state import WAITING, TaskEvent, TaskState, advance, outcome_state
from stem.tasks.status import Failure

__all__ = ["UNDONE", "Consuming", "Fenced", "TakenBack", "Writing"]

SMALL: Final = 1_024
"""A result of so many bytes travels with the notice of its task, where there is room."""
_MEANING: Final[Mapping[str, object]] = {
    "good": outcome_state(TaskEvent.SUCCEEDED).value,
    "small": SMALL,
    "retried": outcome_state(TaskEvent.RETRIED).value,
    "untouched": sorted({outcome_state(TaskEvent.RELEASED).value, outcome_state(TaskEvent.PARKED).value}),
    "leased": advance(TaskState.QUEUED, TaskEvent.LEASED).value,
}
"""What follows from the state to which a lease ends: the same for all rows, so it is not in them."""

UNDONE: Final = Refused("undone", "others wait for the end of this task")
"""Stands, among the verdicts of a statement, for a change that is to be done by another one."""
_CANCELLED: Final = advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED)
_WAITING: Final = sorted(state.value for state in WAITING)

Consuming = Settle | Reschedule | Release | Bury | Park


class TakenBack(Exception):
    """Ends a transaction whose change is not applied, or was before. Carries the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Fenced(NamedTuple):
    """One fenced write of a change."""

    fence: Fence
    number: int
    write: Consuming | Start | Report

    @classmethod
    def of(cls, change: Change, write: Write | None = None) -> Fenced:
        """A fenced write of a change; the first one, where none is given."""
        assert change.fence is not None
        return cls(change.fence, change.number, cast("Consuming | Start | Report", write or change.writes[0]))


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
    let_go: list[str] = field(default_factory=list[str])
    """Whose leases ended, which may have been holders."""
    awaited: set[str] = field(default_factory=set[str])
    """Those of a `follow` that ended and for whose end others wait."""

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

    async def free(self) -> None:
        """What holders leave by their ends, others may have: their queues are told of.

        This comes last in its transaction: whoever leases the same waits for its commit.
        """
        if not self.let_go:
            return
        left = [tuple(row) for row in await self.fetch("limits/let_go", ids=self.let_go)]
        if left:
            stirred = await self.fetch("limits/stir", **columns(("shared", "key"), left))
            self.queues.update(cast("str", row[0]) for row in stirred)

    async def publish(self, writes: Sequence[Publish]) -> None:
        """Make messages visible; those with known ids change nothing."""
        rows = [publish_row(write) for write in writes]
        await self.fetch("publish", **packed(PUBLISH, rows), initial=TaskState.QUEUED.value)
        self.queues.update(write.envelope.queue for write in writes)
        keys = [write.unique.key for write in writes if write.unique is not None]
        if keys:  # somebody may have published one of the ids, without its key, after it was asked for
            await self.fetch("unique_strays", keys=keys)

    async def start(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Mark leased deliveries as started."""
        rows = [start_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Start)]
        done = {row[0] for row in await self.fetch("start", **packed(START, rows))}
        return [APPLIED if m.fence.task_id in done else FENCED for m in members]

    async def report(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Record progress where it is newer."""
        rows = [report_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Report)]
        (row,) = await self.fetch("report", **columns(REPORT, rows))
        done: set[str] = set(row["done"] or ())
        self.tasks.extend(m.fence.task_id for m in members if m.fence.task_id in done)
        return [APPLIED if m.fence.task_id in done else FENCED for m in members]

    async def end_waiting(self, errors: Mapping[str, Failure | None]) -> list[str]:
        """End tasks that wait, as a cancel ends them; those that were waiting."""
        if not errors:
            return []
        least, times = self.book.keeps[_CANCELLED.value]
        given = {
            "task": sorted(errors),
            "error": [None if (error := errors[task]) is None else dump_failure(error) for task in sorted(errors)],
        }
        meaning = {"state": _CANCELLED.value, "waiting": _WAITING, "least": least, "times": times}
        ended = [cast("str", row[0]) for row in await self.fetch("end_waiting", **given, **meaning)]
        self.tasks.extend(ended)
        return ended

    async def consume(self, members: Sequence[Fenced], *, linked: bool = False) -> list[Verdict]:
        """End leases: the outcome, or the way back into the queue.

        An end that others wait for, and that of a holder, is `UNDONE`, unless `linked` says that what follows from it
        will be written in the same transaction.
        """
        return await self._end("consume", members, {"linked": linked})

    async def follow(
        self, members: Sequence[Fenced], follow_ups: Sequence[Sequence[Publish]], *, linked: bool = False
    ) -> list[Verdict]:
        """End leases as `consume` does, and publish what follows on each of those that were held."""
        rows = [
            publish_row(write, member.fence.task_id)
            for member, writes in zip(members, follow_ups, strict=True)
            for write in writes
        ]
        more = {**packed(PUBLISH, rows), "initial": TaskState.QUEUED.value, "linked": linked}
        return await self._end("follow", members, more)

    async def _end(self, name: str, members: Sequence[Fenced], more: Mapping[str, object]) -> list[Verdict]:
        keeps = self.book.keeps
        ends = cast("Sequence[tuple[Fence, int, Consuming]]", members)
        rows = [consume_row(fence, number, write, keeps) for fence, number, write in ends]
        (row,) = await self.fetch(name, **packed(CONSUME, rows), **_MEANING, **more)
        done: set[str] = set(row["done"] or ())
        self.queues.update(row["queues"] or ())
        self.tasks.extend(row["tasks"] or ())
        self.awaited.update(row["awaited"] or ())
        if more["linked"]:
            self.let_go.extend(done)
        if len(done) == len(members):
            return [APPLIED] * len(members)
        known = {**await self._used(rows), **dict.fromkeys(done, True)}
        return [_verdict(known.get(m.fence.task_id)) for m in members]

    async def _used(self, rows: Sequence[Row]) -> dict[str, bool]:
        """The tasks whose leases were consumed by just these changes before, and `False` for those still held."""
        return {
            row[0]: row[1] for row in await self.fetch("used", **columns(FENCE, [row[: len(FENCE)] for row in rows]))
        }


def _verdict(used: bool | None) -> Verdict:
    if used is None:
        return FENCED
    return APPLIED if used else UNDONE
