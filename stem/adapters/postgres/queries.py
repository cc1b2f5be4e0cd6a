"""Looking without touching."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from stem.adapters.postgres.rows import load_failure, load_progress
from stem.adapters.postgres.statements import Book
from stem.clock import Micros
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.errors import ConfigError
from stem.tasks.links import After, Member
from stem.tasks.state import LIVE, TaskState
from stem.tasks.status import TaskRecord

__all__ = ["count_names", "count_queues", "find_awaited", "find_records", "find_results", "fold_tallies", "list_page"]

_LIVE: Final = sorted(state.value for state in LIVE)
_MANY_SLIPS: Final = 1_000
_FOLDED: Final = 100_000

_CONDITIONS: Final[Mapping[str, str]] = {
    # Its own look, so that the order of the page is no reason to read all tasks in it.
    "ids": "t.seq = ANY (ARRAY(SELECT i.seq FROM {schema}.tasks AS i WHERE i.id = ANY (:ids::text[])))",
    "states": "t.state = ANY (:states::text[])",
    "queue": "t.queue = :queue",
    "name": "t.name = :name",
    "root": "coalesce(t.root, t.id) = :root",
    "worker": "t.worker = :worker",
    "tag": "t.tags ? :tag",
    "since": "t.published_at >= :since::bigint",
    "until": "t.published_at < :until::bigint",
    "ended_since": "t.finished_at >= :ended_since::bigint",
    "ended_until": "t.finished_at < :ended_until::bigint",
    "group_id": "t.group_id = :group_id",
    "dead": "t.bury_reason IS NOT NULL",
    "after": "t.seq < :after::bigint",
}


async def find_records(connection: asyncpg.Connection, book: Book, ids: Sequence[str]) -> dict[str, TaskRecord]:
    """The records of those ids that are known."""
    rows = await _records(connection, book, {"ids": list(ids)}, most=len(ids))
    found = {record.id: record for record in map(_record, rows)}
    return {task: found[task] for task in ids if task in found}


async def list_page(
    connection: asyncpg.Connection, book: Book, where: TaskFilter, *, limit: int, after: str | None
) -> Page:
    """The newest records before `after` for which the filter holds. Raises `ConfigError` for a foreign `after`."""
    if after is not None and not (after.isascii() and after.isdecimal() and int(after) < 1 << 63):
        raise ConfigError(
            expected="the `after` of an earlier page", found=repr(after), do="Pass it on as it came, or leave it out."
        )
    found = await _records(connection, book, _parameters(where, after), most=limit + 1)
    shown = found[:limit]
    return Page(tuple(map(_record, shown)), str(shown[-1]["seq"]) if len(found) > limit else None)


def _parameters(where: TaskFilter, after: str | None) -> dict[str, object]:
    given: dict[str, object] = {
        "states": None if where.states is None else sorted(state.value for state in where.states),
        "queue": where.queue,
        "name": where.name,
        "root": where.root,
        "worker": where.worker,
        "tag": where.tag,
        "since": where.since,
        "until": where.until,
        "ended_since": where.ended_since,
        "ended_until": where.ended_until,
        "group_id": where.group,
        "dead": True if where.dead else None,
        "after": None if after is None else int(after),
    }
    return {name: value for name, value in given.items() if value is not None}


async def _records(
    connection: asyncpg.Connection, book: Book, parameters: Mapping[str, object], *, most: int
) -> list[asyncpg.Record]:
    conditions = " AND ".join(_CONDITIONS[name] for name in parameters) or "true"
    return await book.fetch_where(connection, "records", conditions, **parameters, most=most)


def _record(row: asyncpg.Record) -> TaskRecord:
    return TaskRecord(
        id=row["id"],
        name=row["name"],
        queue=row["queue"],
        priority=row["priority"],
        state=TaskState(row["state"]),
        envelope=row["body"],
        published_at=row["published_at"],
        due_at=row["due_at"],
        expires_at=row["expires_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        result_until=row["result_until"],
        attempt=row["attempt"],
        max_retries=row["max_retries"],
        generation=row["generation"],
        deliveries=row["deliveries"],
        crashes=row["crashes"],
        lost=row["lost"],
        fence=row["fence"],
        lease_until=row["lease_until"],
        worker=row["worker"],
        cancel_requested=row["cancel_requested"],
        terminate_requested=row["terminate_requested"],
        parked_reason=row["parked_reason"],
        refused_by=tuple(row["refused_by"] or ()),
        bury_reason=row["bury_reason"],
        error=load_failure(row["error"]),
        result=row["result"],
        ignore_result=row["ignore_result"],
        progress=load_progress(row["progress"]),
        root=row["root"],
        parent=row["parent"],
        tags=tuple(json.loads(row["tags"] or "[]")),
        after=None if row["after_id"] is None else After(row["after_id"], row["after_kind"]),
        member=None if row["group_id"] is None else Member(row["group_id"], row["member_index"]),
        held=row["held"],
        rate_key=row["rate_key"],
        concurrency_key=row["concurrency_key"],
        limited=row["limited"],
    )


async def find_awaited(connection: asyncpg.Connection, book: Book, ids: Sequence[str]) -> frozenset[str]:
    """Those for whose results a live message waits."""
    rows = await book.fetch(connection, "awaited", ids=list(ids), live=_LIVE)
    return frozenset(row[0] for row in rows)


async def find_results(
    connection: asyncpg.Connection, book: Book, ids: Sequence[str], *, even_expired: bool
) -> dict[str, StoredResult]:
    """How those of the ids stand that are known."""
    rows = await book.fetch(connection, "results", ids=list(ids), even_expired=even_expired)
    return {
        task: StoredResult(TaskState(state), result, load_failure(error), ignored, expired)
        for task, state, error, ignored, expired, result in rows
    }


async def count_queues(connection: asyncpg.Connection, book: Book) -> tuple[QueueCount, ...]:
    """Every queue with its numbers by state."""
    counts: dict[str, dict[TaskState, int]] = {}
    oldest: dict[str, Micros | None] = {}
    rows = await book.fetch(connection, "queues")
    for queue, state, tally, due, _ in rows:
        if tally:
            counts.setdefault(queue, {})[TaskState(state)] = tally
            oldest[queue] = due
    await _fold_many(connection, book, rows)
    return tuple(QueueCount(queue, counts[queue], oldest[queue]) for queue in sorted(counts))


async def count_names(connection: asyncpg.Connection, book: Book) -> dict[str, int]:
    """Every task name with the number of its records."""
    rows = await book.fetch(connection, "task_names")
    await _fold_many(connection, book, rows)
    return {name: tally for name, tally, _ in rows if tally}


async def _fold_many(connection: asyncpg.Connection, book: Book, rows: Sequence[asyncpg.Record]) -> None:
    """Put slips together when there are many, so that the next one who counts has few to read."""
    slips = sum(row["slips"] for row in rows)
    if slips > _MANY_SLIPS:
        await fold_tallies(connection, book)


async def fold_tallies(connection: asyncpg.Connection, book: Book) -> None:
    """Put the slips on which each batch noted its numbers together; what they say together stays the same."""
    await book.fetch(connection, "fold", most=_FOLDED)
