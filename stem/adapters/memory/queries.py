"""Answers, over the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

from stem.adapters.memory.rows import Message
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.errors import ConfigError
from stem.tasks.status import TaskRecord

__all__ = ["count_names", "count_queues", "get_records", "get_results", "list_page"]


def get_records(tables: Tables, ids: Sequence[str]) -> dict[str, TaskRecord]:
    """See `Queries.get`."""
    return {id_: _record(message) for id_ in ids if (message := tables.tasks.get(id_)) is not None}


def get_results(tables: Tables, ids: Sequence[str], now: Micros, *, even_expired: bool) -> dict[str, StoredResult]:
    """See `Queries.results`."""
    return {
        id_: _result(message, now, even_expired=even_expired)
        for id_ in ids
        if (message := tables.tasks.get(id_)) is not None
    }


def _result(message: Message, now: Micros, *, even_expired: bool) -> StoredResult:
    expired = message.result_until is not None and message.result_until <= now
    return StoredResult(
        state=message.state,
        result=None if expired and not even_expired else message.result,
        error=message.error,
        ignored=message.ignore_result and message.result is None,
        expired=expired,
    )


def list_page(tables: Tables, where: TaskFilter, *, limit: int, after: str | None) -> Page:
    """See `Queries.list_tasks`. The cursor is the sequence of the last record of a page."""
    records: list[TaskRecord] = []
    last = 0
    for message in _older_than(tables, after):
        if not _matches(message, where):
            continue
        if len(records) == limit:
            return Page(tuple(records), str(last))
        records.append(_record(message))
        last = message.sequence
    return Page(tuple(records), None)


def _older_than(tables: Tables, after: str | None) -> Iterator[Message]:
    newest_first = reversed(tables.tasks.values())
    if after is None:
        return newest_first
    if not after.isdecimal():
        raise ConfigError(
            expected="the `after` of an earlier page", found=repr(after), do="Pass it on as it came, or leave it out."
        )
    return (message for message in newest_first if message.sequence < int(after))


def _matches(message: Message, where: TaskFilter) -> bool:
    wanted = (
        (where.queue, message.queue),
        (where.name, message.name),
        (where.root, message.root),
        (where.worker, message.worker),
    )
    return (
        all(value is None or value == found for value, found in wanted)
        and (where.states is None or message.state in where.states)
        and (where.tag is None or where.tag in message.tags)
        and (where.since is None or where.since <= message.published_at)
        and (where.until is None or message.published_at < where.until)
        and (where.group is None or (message.member is not None and message.member.group == where.group))
        and _ended_within(message, where)
        and (not where.dead or message.bury_reason is not None)
    )


def _ended_within(message: Message, where: TaskFilter) -> bool:
    if where.ended_since is None and where.ended_until is None:
        return True
    ended = message.finished_at
    if ended is None:
        return False
    since, until = where.ended_since, where.ended_until
    return (since is None or since <= ended) and (until is None or ended < until)


def count_queues(tables: Tables, now: Micros) -> tuple[QueueCount, ...]:
    """See `Queries.queues`."""
    found = [(name, {state: count for state, count in row.items() if count}) for name, row in tables.states.items()]
    return tuple(
        QueueCount(name, counts, _oldest_due(tables, name, now))
        for name, counts in sorted(found, key=itemgetter(0))
        if counts
    )


def _oldest_due(tables: Tables, queue: str, now: Micros) -> Micros | None:
    line = tables.queues.get(queue)
    due = None if line is None else line.oldest_due()
    return due if due is not None and due <= now else None


def count_names(tables: Tables) -> Mapping[str, int]:
    """See `Queries.task_names`."""
    return {name: count for name, count in sorted(tables.names.items()) if count}


def _record(message: Message) -> TaskRecord:
    lease = message.lease
    return TaskRecord(
        id=message.id,
        name=message.name,
        queue=message.queue,
        priority=message.priority,
        state=message.state,
        envelope=message.body,
        published_at=message.published_at,
        due_at=message.due_at,
        expires_at=message.expires_at,
        started_at=message.started_at,
        finished_at=message.finished_at,
        result_until=message.result_until,
        attempt=message.attempt,
        max_retries=message.max_retries,
        generation=message.generation,
        deliveries=message.deliveries,
        crashes=message.crashes,
        lost=message.lost,
        fence=message.fence,
        lease_until=None if lease is None else lease.until,
        worker=message.worker,
        cancel_requested=message.cancel_requested,
        terminate_requested=message.terminate_requested,
        parked_reason=message.parked_reason,
        refused_by=tuple(message.refused_by or ()),
        bury_reason=message.bury_reason,
        error=message.error,
        result=message.result,
        ignore_result=message.ignore_result,
        progress=message.progress,
        root=message.root,
        parent=message.parent,
        tags=message.tags,
        after=message.after,
        member=message.member,
        held=message.held,
        rate_key=message.rate_key,
        concurrency_key=message.concurrency_key,
        limited=message.side is not None,
    )
