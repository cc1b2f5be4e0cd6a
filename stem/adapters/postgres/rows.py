"""Changes as rows, and rows as the columns that a statement takes: one array for each. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, cast

from stem.clock import Micros
from stem.contracts.changes import Bury, Fence, Park, Publish, Release, Report, Reschedule, Settle, Start
from stem.contracts.retention import Retention
from stem.contracts.wellformed import event_of
from stem.tasks.retry import Backoff
from stem.tasks.state import TERMINAL, TaskEvent, TaskState, outcome_state
from stem.tasks.status import Failure, Progress

__all__ = [
    "CONSUME",
    "DEAD",
    "FENCE",
    "PUBLISH",
    "REPORT",
    "START",
    "Keeps",
    "columns",
    "consume_row",
    "dump_failure",
    "keeps_of",
    "load_backoff",
    "load_failure",
    "load_progress",
    "packed",
    "publish_row",
    "report_row",
    "start_row",
]

Row = tuple[object, ...]
Columns = dict[str, list[object]]
Keeps = Mapping[str, tuple[Micros, int]]
"""For how long a record is kept: at least so many microseconds, and so many times its `result_ttl`."""
DEAD: Final = "dead"
_LATEST: Final[Micros] = 1 << 60
"""Durations are cut here, so that sums of them fit 64 bits."""

FENCE: Final = ("task", "nonce", "counter", "number")
START: Final = (*FENCE, "backoff", "ack")
REPORT: Final = (*FENCE, "sequence", "progress")
CONSUME: Final = (*FENCE, "state", "delay", "error", "reason", "result", "least", "times")
PUBLISH: Final = (
    *("id", "name", "queue", "priority", "wait", "not_before", "expires", "result_ttl", "ignore_result"),
    *("max_retries", "root", "parent", "tags", "unique_key", "unique_for", "rate_key", "concurrency_key"),
    *("body", "by"),
)


def columns(names: Sequence[str], rows: Sequence[Row]) -> Columns:
    """The rows turned into columns; one without any value is empty, and `unnest` fills it up with nulls."""
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, map(_column, zip(*rows, strict=True)), strict=True))


def _column(values: tuple[object, ...]) -> list[object]:
    return [] if values.count(None) == len(values) else list(values)


def packed(names: Sequence[str], rows: Sequence[Row]) -> dict[str, object]:
    """The rows as `{rows ...}` of a statement takes them.

    What is the same in all of them is sent once, as `<name>_alike`, and its column left empty: encoding an array costs
    the driver more than all else that a row costs it. The first column, which tells the rows apart, is always sent.
    """
    sent: dict[str, object] = dict(columns(names, rows))
    for name in names:
        column = cast("list[object]", sent[name])
        alike = name != names[0] and len(column) > 0 and column.count(column[0]) == len(column)
        sent[f"{name}_alike"] = column[0] if alike else None
        if alike:
            sent[name] = []
    return sent


def publish_row(write: Publish, by: str | None = None) -> Row:
    """The row of a message; `by` is the task whose end publishes it."""
    envelope, unique = write.envelope, write.unique
    return (
        envelope.id,
        envelope.name,
        envelope.queue,
        envelope.priority,
        _cut(write.delay),
        None if write.not_before is None else _cut(write.not_before),
        None if envelope.expires is None else _cut(envelope.expires),
        _cut(envelope.result_ttl),
        envelope.ignore_result,
        envelope.max_retries,
        envelope.root if envelope.root not in ("", envelope.id) else None,
        envelope.parent,
        json.dumps(envelope.tags) if envelope.tags else None,
        None if unique is None else unique.key,
        None if unique is None or unique.lifetime is None else _cut(unique.lifetime),
        write.rate_key,
        write.concurrency_key,
        write.body,
        by,
    )


def start_row(fence: Fence, number: int, write: Start) -> Row:
    """The row of a start."""
    backoff = write.backoff
    numbers = json.dumps([backoff.initial, backoff.factor, backoff.max_delay, backoff.jitter])
    return (fence.task_id, fence.nonce, fence.counter, number, numbers, write.ack)


def report_row(fence: Fence, number: int, write: Report) -> Row:
    """The row of a progress report."""
    report = write.progress
    values = json.dumps([report.sequence, report.done, report.total, report.message, report.data])
    return (fence.task_id, fence.nonce, fence.counter, number, report.sequence, values)


def consume_row(fence: Fence, number: int, write: Settle | Reschedule | Release | Bury | Park, keeps: Keeps) -> Row:
    """The row of a write that ends a lease; only an end has `least` and `times`, for how long its record is kept."""
    state, (task, counter, nonce) = _state_after(event_of(write)), fence
    if isinstance(write, Settle):
        error = None if write.error is None else dump_failure(write.error)
        return (task, nonce, counter, number, state, None, error, None, write.result, *keeps[state])
    error = None if isinstance(write, Release | Park) or write.error is None else dump_failure(write.error)
    if isinstance(write, Bury):
        return (task, nonce, counter, number, state, None, error, write.reason, None, *keeps[DEAD])
    return (task, nonce, counter, number, state, _delay(write), error, None, None, None, None)


@cache
def _state_after(event: TaskEvent) -> str:
    return outcome_state(event).value


def keeps_of(retention: Retention) -> Keeps:
    """How long records are kept, by the value of their state; `DEAD` for what is in the dead letters."""
    ends = {state.value: _keep(retention, state, dead=False) for state in TERMINAL}
    return {**ends, DEAD: _keep(retention, TaskState.FAILED, dead=True)}


def _keep(retention: Retention, state: TaskState, *, dead: bool) -> tuple[Micros, int]:
    least = _cut(retention.keep_for(state, 0, dead=dead))
    return least, 2 if getattr(retention, state.value) is None else 0


def _delay(write: Reschedule | Release | Park) -> Micros | None:
    """Until it is due again; `None` for a message that takes its old place."""
    if isinstance(write, Release):
        return _cut(write.delay) if write.delay > 0 else None
    return 0 if isinstance(write, Park) else _cut(write.delay)


def _cut(duration: Micros) -> Micros:
    return max(-_LATEST, min(duration, _LATEST))


def dump_failure(error: Failure) -> str:
    """JSON in ASCII, so that no byte of a message can disturb what it travels in."""
    return json.dumps([error.kind, error.message, error.traceback, error.code])


def load_failure(text: str | None) -> Failure | None:
    """The failure that `dump_failure` wrote."""
    return None if text is None else Failure(*json.loads(text))


def load_progress(text: str | None) -> Progress | None:
    """The progress that `report_row` wrote."""
    return None if text is None else Progress(*json.loads(text))


def load_backoff(text: str | None) -> Backoff | None:
    """The backoff that `start_row` wrote."""
    return None if text is None else Backoff(*json.loads(text))
