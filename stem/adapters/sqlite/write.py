"""The set-based writes inside a transaction: each is one or two statements for any number of rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from stem.adapters.sqlite.rows import Blob, Consuming, consume_row, dump, key_rows, publish_row, report_row, start_row
from stem.adapters.sqlite.statements import execute
from stem.clock import Micros
from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Change,
    Fence,
    Publish,
    Report,
    Start,
    Verdict,
)
from stem.contracts.retention import Retention
from stem.contracts.store import Notice
from stem.contracts.wellformed import event_of
from stem.tasks.state import LIVE, TaskState, outcome_state

__all__ = ["Consuming", "Fenced", "Found", "Writing"]

Found = dict[str, Any]
"""The columns of `sql/one.sql`, by name."""
_COLUMNS: Final = (
    *("state", "queue", "fence", "nonce", "used_fence", "used_nonce", "used_number", "refused"),
    *("unique_key", "unique_for", "generation"),
)


@dataclass(frozen=True, slots=True)
class Fenced:
    """One fenced write of a change."""

    fence: Fence
    number: int
    write: Consuming | Start | Report

    @classmethod
    def of(cls, change: Change) -> Fenced:
        """The only write of a change that holds just one."""
        assert change.fence is not None
        return cls(change.fence, change.number, cast("Consuming | Start | Report", change.writes[0]))


@dataclass(slots=True)
class Writing:
    """One transaction: its connection, its moment, and what it will have to tell."""

    connection: sqlite3.Connection
    now: Micros
    retention: Retention = field(default_factory=Retention)
    queues: set[str] = field(default_factory=set[str])
    tasks: list[str] = field(default_factory=list[str])

    def notice(self) -> Notice:
        """What to tell once this is committed."""
        return Notice(frozenset(self.queues), tuple(self.tasks))

    def execute(self, name: str, **parameters: object) -> sqlite3.Cursor:
        """Run a statement by its name."""
        return execute(self.connection, name, **parameters)

    def ask(self, name: str, **parameters: object) -> list[list[object]]:
        """The rows of a statement that answers them as one JSON text."""
        (text,) = self.execute(name, **parameters).fetchone()
        return cast("list[list[object]]", json.loads(text))

    def find(self, task: str) -> Found | None:
        """What a change has to know of a task before it is written."""
        row = self.execute("one", task=task).fetchone()
        return None if row is None else dict(zip(_COLUMNS, row, strict=True))

    def publish(self, writes: Sequence[Publish], *, held: bool = False) -> None:
        """Make messages visible, or keep them `held`; those with known ids change nothing."""
        bodies = Blob()
        rows = dump([publish_row(write, self.now, bodies, held=held) for write in writes])
        keys = dump(key_rows(writes))
        state = TaskState.QUEUED.value
        self.execute("publish", rows=rows, bodies=bodies.whole(), keys=keys, state=state, now=self.now)
        self.queues.update(write.envelope.queue for write in writes)

    def start(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Mark leased deliveries as started."""
        rows = [start_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Start)]
        text = dump(rows)
        changed = self.execute("start", rows=text, now=self.now).rowcount
        return [APPLIED] * len(rows) if changed == len(rows) else self._verdicts(members, text, held=True)

    def report(self, members: Sequence[Fenced]) -> list[Verdict]:
        """Record progress where it is newer."""
        rows = [report_row(m.fence, m.number, m.write) for m in members if isinstance(m.write, Report)]
        text = dump(rows)
        changed = self.execute("report", rows=text).rowcount
        self.tasks.extend(m.fence.task_id for m in members)
        return [APPLIED] * len(rows) if changed == len(rows) else self._verdicts(members, text, held=True)

    def consume_rows(self, members: Sequence[Fenced]) -> tuple[str, bytes]:
        """The rows of writes that end leases, and the results beside them."""
        results = Blob()
        rows = [
            consume_row(
                m.fence, m.number, cast("Consuming", m.write), now=self.now, results=results, keep=self.retention
            )
            for m in members
        ]
        return dump(rows), results.whole()

    def consume(self, rows: str, results: bytes, *, watched: bool) -> int:
        """End leases: the outcome, or the way back into the queue; how many were ended.

        Without `watched`, those are left alone whose end concerns others: tasks that somebody waits for, and leases
        that count against a concurrency.
        """
        return self.execute("consume", rows=rows, results=results, now=self.now, watched=int(watched)).rowcount

    def all_consumed(self, members: Sequence[Fenced]) -> list[Verdict]:
        """The verdicts when every lease was ended, after telling of it."""
        return self._told(members, [APPLIED] * len(members))

    def verdicts_on(self, members: Sequence[Fenced], rows: str) -> list[Verdict]:
        """The verdicts when not every lease was ended, after telling of those that were."""
        return self._told(members, self._verdicts(members, rows, held=False))

    def _told(self, members: Sequence[Fenced], verdicts: list[Verdict]) -> list[Verdict]:
        self._tell(members, verdicts)
        return verdicts

    def release(self, tasks: Sequence[str]) -> None:
        """Let go of messages that were held, those that nothing holds any more."""
        if tasks:
            ids = dump(list(tasks))
            self.execute("groups/release", ids=ids, now=self.now)
            self.queues.update(cast("list[str]", self.ask("queues_of", ids=ids)))

    def _verdicts(self, members: Sequence[Fenced], rows: str, *, held: bool) -> list[Verdict]:
        """Applied for the fences that are held, or that were consumed by just this change."""
        found = {task for task, is_held in self.ask("fences", rows=rows) if bool(is_held) is held}
        return [APPLIED if member.fence.task_id in found else FENCED for member in members]

    def _tell(self, members: Sequence[Fenced], verdicts: Sequence[Verdict]) -> None:
        waiting: list[str] = []
        for member, verdict in zip(members, verdicts, strict=True):
            if verdict is not APPLIED:
                continue
            ended = outcome_state(event_of(cast("Consuming", member.write))) not in LIVE
            (self.tasks if ended else waiting).append(member.fence.task_id)
        if waiting:
            self.execute("refusals/reserve", ids=dump(waiting))
            self.queues.update(cast("list[str]", self.ask("queues_of", ids=dump(waiting))))
