"""What scripts answer, as values of the contracts. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from stem.adapters.redis.rows import TEXTS_OF_A_DELIVERY, TEXTS_OF_A_RESULT, WITH_PLACE, read_row
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.queries import StoredResult
from stem.contracts.store import Delivery
from stem.tasks.links import After, Member
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress, TaskRecord

__all__ = ["deliveries_of", "records_of", "results_of"]


def deliveries_of(values: Sequence[bytes], now: Micros) -> tuple[Delivery, ...]:
    """The deliveries of an answer: row, envelope and rare facts for each."""
    return tuple(
        _delivery(read_row(values[at], TEXTS_OF_A_DELIVERY), values[at + 1], values[at + 2], now)
        for at in range(0, len(values), 3)
    )


def _delivery(row: Any, body: bytes, facts: bytes, now: Micros) -> Delivery:
    expires = row.expires
    found: dict[str, Any] = json.loads(facts) if facts else {}
    lost_by = found.get("lost_by")
    backoff = found.get("lost_backoff") if lost_by is not None else None
    return Delivery(
        fence=Fence(row.id, row.fence, row.nonce),
        body=body,
        name=row.name,
        queue=row.queue,
        attempt=row.attempt,
        max_retries=row.max_retries,
        generation=row.generation,
        deliveries=row.deliveries,
        crashes=row.crashes,
        lost=row.lost,
        lease=row.lease,
        published_at=row.published,
        expires_at=expires or None,
        expired=0 < expires <= now and not row.began,
        ignore_result=bool(row.ignored) and not row.awaited and row.belongs != WITH_PLACE,
        started=bool(row.started if lost_by is None else row.lost_started),
        cancel_requested=bool(row.cancel),
        parks=row.parks,
        lost_by=lost_by,
        backoff=None if backoff is None else Backoff(*json.loads(backoff)),
        ack=cast("Ack", found.get("lost_ack", "late")) if lost_by is not None else "late",
    )


def results_of(values: Sequence[bytes | None], now: Micros, *, even_expired: bool) -> dict[str, StoredResult]:
    """How tasks stand, by id."""
    rows = _rows_of(values, TEXTS_OF_A_RESULT)
    found = {row.id: _result(row, result, facts, now) for row, _, result, facts in rows}
    if even_expired:
        return found
    return {task: replace(stored, result=None) if stored.expired else stored for task, stored in found.items()}


def _result(row: Any, result: bytes | None, facts: dict[str, Any], now: Micros) -> StoredResult:
    expired = 0 < row.result_until <= now
    ignored = bool(row.ignored) and result is None
    return StoredResult(TaskState(row.state), result, _failure(facts), ignored, expired)


def records_of(values: Sequence[bytes | None]) -> dict[str, TaskRecord]:
    """Records by id."""
    return {row.id: _record(row, body, result, facts) for row, body, result, facts in _rows_of(values, None)}


def _rows_of(
    values: Sequence[bytes | None], texts: int | None
) -> Iterator[tuple[Any, bytes, bytes | None, dict[str, Any]]]:
    for at in range(0, len(values), 4):
        raw, body, result, facts = values[at : at + 4]
        yield read_row(raw or b"", texts), body or b"", result, json.loads(facts) if facts else {}


def _record(row: Any, body: bytes, result: bytes | None, facts: dict[str, Any]) -> TaskRecord:
    head = json.loads(row.head)
    progress = facts.get("progress")
    held = bool(row.held_after or row.held_member)
    return TaskRecord(
        id=row.id,
        name=row.name,
        queue=row.queue,
        priority=row.priority,
        state=TaskState(row.state),
        envelope=body,
        published_at=row.published,
        due_at=row.due or None,
        expires_at=row.expires or None if row.accepted else None,
        started_at=row.started_at or None,
        finished_at=row.finished or None,
        result_until=row.result_until or None,
        attempt=row.attempt,
        max_retries=row.max_retries,
        generation=row.generation,
        deliveries=row.deliveries,
        crashes=row.crashes,
        lost=row.lost,
        fence=row.fence,
        lease_until=row.lease_until or None,
        worker=row.worker or None,
        cancel_requested=bool(row.cancel),
        terminate_requested=bool(row.terminate),
        parked_reason=facts.get("reason"),
        refused_by=tuple(name for name, _ in facts.get("refused", ())),
        bury_reason=facts.get("buried"),
        error=_failure(facts),
        result=result,
        ignore_result=bool(row.ignored),
        progress=None if progress is None else Progress(*json.loads(progress)),
        root=head.get("root", row.id),
        parent=head.get("parent"),
        tags=tuple(head.get("tags", ())),
        after=_after(head),
        member=Member(*head["member"]) if "member" in head else None,
        held=held,
        rate_key=head.get("rate_key"),
        concurrency_key=head.get("concurrency_key"),
        limited="aside" in facts,
    )


def _after(head: dict[str, Any]) -> After | None:
    if "after" not in head:
        return None
    kind, upstream = head["after"]
    return After(upstream, kind)


def _failure(facts: dict[str, Any]) -> Failure | None:
    text = facts.get("error")
    return None if text is None else Failure(*json.loads(text))
