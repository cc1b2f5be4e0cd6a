"""What scripts answer, as values of the contracts. Pure."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from stem.adapters.redis.rows import ROW, WITH_PLACE, read_row
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.queries import StoredResult
from stem.contracts.store import Delivery
from stem.tasks.links import After, Member
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskEvent, TaskState, advance
from stem.tasks.status import Failure, Progress, TaskRecord

__all__ = ["deliveries_of", "records_of", "results_of"]

_COUNTERS: Final = ROW.at("deliveries") - 1
_TEXTS: Final = ROW.texts_at() - 1
_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value
_ID: Final = -36
"""Where the bytes of an id in its usual form begin: it is the last text."""
_HELD_ONCE: Final = ROW.packed("deliveries", deliveries=1, fence=1)
_NONCE: Final = _TEXTS + 4 + len(_RUNNING) + 4
"""Where the nonce begins."""
_size_at: Final = struct.Struct(">I").unpack_from
_PICKED: Final = ROW.picked("published", "expires", "max_retries", "lease", "started")


def deliveries_of(values: Sequence[bytes], now: Micros) -> tuple[Delivery, ...]:
    """The deliveries of an answer: row, envelope and rare facts for each."""
    return tuple(
        [
            _brief(values[at], values[at + 1], now) or _delivery(values[at], values[at + 1], values[at + 2], now)
            for at in range(0, len(values), 3)
        ]
    )


def _brief(raw: bytes, body: bytes, now: Micros) -> Delivery | None:
    """The first delivery of a task of which nothing special is known, at a third of the cost; else nothing."""
    if raw[_COUNTERS:_TEXTS] != _HELD_ONCE:
        return None
    rest = _NONCE + _size_at(raw, _NONCE - 4)[0]
    names = _names_in(raw[rest:_ID])
    if names is None:
        return None
    published, expires, retries, lease, started = _PICKED.unpack_from(raw)
    fence, until, expired = Fence(raw[_ID:].decode(), 1, raw[_NONCE:rest].decode()), expires or None, 0 < expires <= now
    # By place, since by name it would take twice as long.
    return Delivery(
        fence, body, *names, 0, retries, 0, 1, 0, 0, lease, published, until, expired, False, started > 0, False, 0
    )


@lru_cache(maxsize=1024)
def _names_in(texts: bytes) -> tuple[str, str] | None:
    """The name and the queue in the texts between the nonce and the bytes of the id, which rows of one worker and one
    task have in common; nothing where the id has an unusual form."""
    at, found = 0, list[str]()
    try:
        for _ in ("used_nonce", "worker", "queue", "name", "key", "head"):
            begin = at + 4
            at = begin + _size_at(texts, at)[0]
            found.append(texts[begin:at].decode())
        is_usual = _size_at(texts, at)[0] == -_ID and at + 4 == len(texts)
    except (struct.error, UnicodeDecodeError):  # cut elsewhere than before an id
        return None
    return (found[3], found[2]) if is_usual else None


def _delivery(raw: bytes, body: bytes, facts: bytes, now: Micros) -> Delivery:
    row = read_row(raw)
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
    rows = _rows_of(values)
    found = {row.id: _result(row, result, facts, now) for row, _, result, facts in rows}
    if even_expired:
        return found
    return {task: stored._replace(result=None) if stored.expired else stored for task, stored in found.items()}


def _result(row: Any, result: bytes | None, facts: dict[str, Any], now: Micros) -> StoredResult:
    expired = 0 < row.result_until <= now
    ignored = bool(row.ignored) and result is None
    return StoredResult(TaskState(row.state), result, _failure(facts), ignored, expired)


def records_of(values: Sequence[bytes | None]) -> dict[str, TaskRecord]:
    """Records by id."""
    return {row.id: _record(row, body, result, facts) for row, body, result, facts in _rows_of(values)}


def _rows_of(values: Sequence[bytes | None]) -> Iterator[tuple[Any, bytes, bytes | None, dict[str, Any]]]:
    for at in range(0, len(values), 4):
        raw, body, result, facts = values[at : at + 4]
        yield read_row(raw or b""), body or b"", result, json.loads(facts) if facts else {}


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
