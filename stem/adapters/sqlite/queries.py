"""Looking without touching: every answer is one row, so that a busy interpreter is asked for once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stem.adapters.sqlite.rows import dump, load_failure, load_progress
from stem.adapters.sqlite.statements import execute, statement
from stem.clock import Micros
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.errors import ConfigError
from stem.tasks.links import After, Member
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord

__all__ = ["count_names", "count_queues", "find_records", "find_results", "list_page"]

_CONDITIONS: Final[Mapping[str, str]] = {
    "states": "t.state IN (SELECT value FROM json_each(:states))",
    "queue": "t.queue = :queue",
    "name": "t.name = :name",
    "root": "t.root = :root",
    "worker": "t.worker = :worker",
    "tag": "t.tags IS NOT NULL AND :tag IN (SELECT value FROM json_each(t.tags))",
    "since": "t.published_at >= :since",
    "until": "t.published_at < :until",
    "ended_since": "t.finished_at >= :ended_since",
    "ended_until": "t.finished_at < :ended_until",
    "group": "t.id IN (SELECT task FROM stem_links WHERE grp = :group)",
    "dead": "t.bury_reason IS NOT NULL",
    "after": "t.seq < :after",
}


def find_records(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, TaskRecord]:
    """The records of those ids that are known."""
    text = statement("records").format(source="json_each(:ids) AS j", joined="t.id = j.value")
    return {record.id: record for record, _ in _records(connection, text, {"ids": dump(list(dict.fromkeys(ids)))})}


def find_awaited(connection: sqlite3.Connection, ids: Sequence[str]) -> frozenset[str]:
    """Those for whose results a live message waits."""
    return frozenset(json.loads(execute(connection, "awaited", ids=dump(list(ids))).fetchone()[0]))


def list_page(connection: sqlite3.Connection, where: TaskFilter, limit: int, after: str | None) -> Page:
    """The newest records before `after` for which the filter holds. Raises `ConfigError` for a foreign `after`."""
    if after is not None and not after.isdecimal():
        raise ConfigError(
            expected="the `after` of an earlier page", found=repr(after), do="Pass it on as it came, or leave it out."
        )
    parameters = _parameters(where, after)
    conditions = " AND ".join(_CONDITIONS[name] for name in parameters) or "true"
    chosen = f"(SELECT t.seq FROM stem_tasks AS t WHERE {conditions} ORDER BY t.seq DESC LIMIT :limit) AS j"  # noqa: S608  # made of the constants above
    text = statement("records").format(source=chosen, joined="t.seq = j.seq")
    found = list(_records(connection, text, {**parameters, "limit": limit + 1}))
    shown = found[:limit]
    return Page(tuple(record for record, _ in shown), str(shown[-1][1]) if len(found) > limit else None)


def _parameters(where: TaskFilter, after: str | None) -> dict[str, object]:
    states = None if where.states is None else dump([state.value for state in where.states])
    given: dict[str, object] = {
        "states": states,
        "queue": where.queue,
        "name": where.name,
        "root": where.root,
        "worker": where.worker,
        "tag": where.tag,
        "since": where.since,
        "until": where.until,
        "ended_since": where.ended_since,
        "ended_until": where.ended_until,
        "group": where.group,
        "dead": 1 if where.dead else None,
        "after": None if after is None else int(after),
    }
    return {name: value for name, value in given.items() if value is not None}


def _records(
    connection: sqlite3.Connection, text: str, parameters: Mapping[str, object]
) -> Iterator[tuple[TaskRecord, int]]:
    rows, bodies, results = connection.execute(text, parameters).fetchone()
    body_at = result_at = 0
    for row in json.loads(rows):
        seq, body_size, result_size = row[-3:]
        body = bodies[body_at : body_at + body_size]
        result = None if result_size is None else (results or b"")[result_at : result_at + result_size]
        body_at += body_size
        result_at += result_size or 0
        yield _record(row, body, result), seq


def _record(row: list[Any], body: bytes, result: bytes | None) -> TaskRecord:
    return TaskRecord(
        id=row[0],
        name=row[1],
        queue=row[2],
        priority=row[3],
        state=TaskState(row[4]),
        envelope=body,
        published_at=row[5],
        due_at=row[6],
        expires_at=row[7],
        started_at=row[8],
        finished_at=row[9],
        result_until=row[10],
        attempt=row[11],
        max_retries=row[12],
        generation=row[13],
        deliveries=row[14],
        crashes=row[15],
        lost=row[16],
        fence=row[17],
        lease_until=row[18],
        worker=row[19],
        cancel_requested=bool(row[20]),
        terminate_requested=bool(row[21]),
        parked_reason=row[22],
        refused_by=tuple(fingerprint for fingerprint, _ in json.loads(row[23] or "[]")),
        bury_reason=row[24],
        error=load_failure(row[25]),
        result=result,
        ignore_result=bool(row[26]),
        progress=load_progress(row[27]),
        root=row[28],
        parent=row[29],
        tags=tuple(json.loads(row[30] or "[]")),
        after=None if row[31] is None else After(row[32], row[31]),
        member=None if row[33] is None else Member(row[33], row[34]),
        held=bool(row[35]),
        rate_key=row[36],
        concurrency_key=row[37],
        limited=bool(row[38]),
    )


def find_results(
    connection: sqlite3.Connection, ids: Sequence[str], now: Micros, *, even_expired: bool
) -> dict[str, StoredResult]:
    """How those of the ids stand that are known; with `even_expired` also with results whose time is over."""
    rows, results = execute(connection, "results", ids=dump(list(dict.fromkeys(ids)))).fetchone()
    found: dict[str, StoredResult] = {}
    at = 0
    for task, state, error, ignored, until, size in json.loads(rows):
        result = None if size is None else (results or b"")[at : at + size]
        at += size or 0
        expired = until is not None and until <= now
        kept = None if expired and not even_expired else result
        found[task] = StoredResult(TaskState(state), kept, load_failure(error), bool(ignored), expired)
    return found


def count_queues(connection: sqlite3.Connection, now: Micros) -> tuple[QueueCount, ...]:
    """Every queue with its numbers by state."""
    (text,) = execute(connection, "queues", now=now).fetchone()
    counts: dict[str, dict[TaskState, int]] = {}
    oldest: dict[str, list[Micros]] = {}
    for queue, state, tally, due in json.loads(text):
        counts.setdefault(queue, {})[TaskState(state)] = tally
        oldest.setdefault(queue, []).extend([] if due is None else [due])
    return tuple(QueueCount(queue, counts[queue], min(oldest[queue], default=None)) for queue in sorted(counts))


def count_names(connection: sqlite3.Connection) -> dict[str, int]:
    """Every task name with the number of its records."""
    (text,) = execute(connection, "task_names").fetchone()
    return dict(sorted(json.loads(text)))
