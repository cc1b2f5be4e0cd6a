"""Changes as rows of one JSON parameter, and their bytes as one blob beside it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from stem.clock import Micros
from stem.contracts.changes import Bury, Fence, Park, Publish, Release, Report, Reschedule, Settle, Start
from stem.contracts.retention import Retention
from stem.contracts.wellformed import event_of
from stem.tasks.retry import Backoff
from stem.tasks.state import LIVE, outcome_state
from stem.tasks.status import Failure, Progress

__all__ = [
    "Blob",
    "Consuming",
    "consume_row",
    "cut",
    "dump",
    "dump_backoff",
    "dump_failure",
    "key_rows",
    "load_backoff",
    "load_failure",
    "load_progress",
    "load_refusals",
    "publish_row",
    "report_row",
    "start_row",
]

Row = list[object]
Consuming: TypeAlias = Settle | Reschedule | Release | Bury | Park
"""The writes that end a lease."""
_LATEST: Final[Micros] = 1 << 60
"""Times are cut here, so that sums of them fit SQLite's integers."""


class Blob:
    """Many byte strings in one parameter; each row says where its own is."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> int:
        """Take the bytes in; where they begin."""
        at = self._size
        self._parts.append(part)
        self._size += len(part)
        return at

    def whole(self) -> bytes:
        """All bytes, one after the other."""
        return b"".join(self._parts)


def dump(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def publish_row(write: Publish, now: Micros, bodies: Blob, *, held: bool = False) -> Row:
    """The row of a message, never due while it is `held`. Raises `ValueError` for text that SQLite would cut."""
    envelope, unique = write.envelope, write.unique
    due = now + write.delay if write.not_before is None else max(now, write.not_before)
    key = None if unique is None else unique.key
    root = envelope.root or envelope.id
    if "\0" in f"{envelope.id}{envelope.name}{envelope.queue}{root}{envelope.parent}{key}":
        raise ValueError("a NUL character in a name, a queue, an id or a key")
    return [
        envelope.id,
        envelope.name,
        envelope.queue,
        envelope.priority,
        None if held else cut(due),
        None if envelope.expires is None or held else cut(now + envelope.expires),
        cut(envelope.result_ttl),
        int(envelope.ignore_result),
        envelope.max_retries,
        root,
        envelope.parent,
        dump(envelope.tags) if envelope.tags else None,
        key,
        None if unique is None or unique.lifetime is None else cut(unique.lifetime),
        bodies.add(write.body),
        len(write.body),
    ]


def key_rows(writes: Sequence[Publish]) -> list[Row]:
    """The rows of the few messages that have keys of their limits. Raises `ValueError` as `publish_row` does."""
    keyed = [write for write in writes if write.rate_key is not None or write.concurrency_key is not None]
    if any("\0" in f"{write.rate_key}{write.concurrency_key}" for write in keyed):
        raise ValueError("a NUL character in a key of a limit")
    return [[write.envelope.id, write.rate_key, write.concurrency_key] for write in keyed]


def start_row(fence: Fence, number: int, write: Start) -> Row:
    """The row of a start."""
    return [fence.task_id, fence.nonce, fence.counter, number, dump_backoff(write.backoff), write.ack]


def report_row(fence: Fence, number: int, write: Report) -> Row:
    """The row of a progress report."""
    report = write.progress
    values = [report.sequence, report.done, report.total, report.message, report.data]
    return [fence.task_id, fence.nonce, fence.counter, number, report.sequence, json.dumps(values)]


def consume_row(
    fence: Fence,
    number: int,
    write: Consuming,
    *,
    now: Micros,
    results: Blob,
    keep: Retention,
) -> Row:
    """The row of a write that ends a lease."""
    state = outcome_state(event_of(write))
    ended = state not in LIVE
    times, least = keep.terms(state, dead=isinstance(write, Bury)) if ended else (0, 0)
    error = None if isinstance(write, Release | Park) else write.error
    result = write.result if isinstance(write, Settle) else None
    return [
        fence.task_id,
        fence.nonce,
        fence.counter,
        number,
        state.value,
        None if ended or _keeps_place(write) else cut(now + _delay(write)),
        int(isinstance(write, Reschedule)),
        int(isinstance(write, Release | Park)),
        None if error is None else dump_failure(error),
        int(ended),
        least,
        write.reason if isinstance(write, Bury) else None,
        None if result is None else results.add(result),
        None if result is None else len(result),
        times,
    ]


def _keeps_place(write: Consuming) -> bool:
    return isinstance(write, Release) and write.delay <= 0


def _delay(write: Consuming) -> Micros:
    if isinstance(write, Reschedule | Release):
        return write.delay
    return write.pause if isinstance(write, Park) else 0


def cut(instant: Micros) -> Micros:
    """A time or a duration as SQLite can reckon with it."""
    return max(-_LATEST, min(instant, _LATEST))


def dump_failure(error: Failure) -> str:
    """JSON in ASCII, so that no byte of a message can disturb what it travels in."""
    return json.dumps([error.kind, error.message, error.traceback, error.code])


def load_failure(text: str | None) -> Failure | None:
    """The failure that `dump_failure` wrote."""
    return None if text is None else Failure(*json.loads(text))


def load_progress(text: str | None) -> Progress | None:
    """The progress that `report_row` wrote."""
    return None if text is None else Progress(*json.loads(text))


def load_refusals(text: str | None) -> list[tuple[str, Micros]]:
    """The registries that could not run a message, the latest last, and until when each is passed over.

    None, where the text is damaged: then everybody may try, and nobody's lease call fails.
    """
    try:
        return [(str(fingerprint), int(until)) for fingerprint, until in json.loads(text or "[]")]
    except (ValueError, TypeError):
        return []


def dump_backoff(backoff: Backoff) -> str:
    """The four numbers."""
    return dump([backoff.initial, backoff.factor, backoff.max_delay, backoff.jitter])


def load_backoff(text: str | None) -> Backoff | None:
    """The backoff that `dump_backoff` wrote."""
    return None if text is None else Backoff(*json.loads(text))
