"""Commit: a batch of changes in one script call, and what others should hear of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from stem.adapters.redis.batch import encode_changes
from stem.adapters.redis.connection import Kind, Server
from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Cancel,
    Change,
    Duplicate,
    Publish,
    Refused,
    Report,
    Settle,
    Verdict,
)
from stem.contracts.store import Notice

__all__ = ["commit_changes", "in_batches"]

_MOST_CHANGES: Final = 500
_MOST_BYTES: Final = 16 * 1024 * 1024


def in_batches(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """The changes in parts that one call takes, in order."""
    begin = size = 0
    for place, change in enumerate(changes):
        added = _size(change)
        if place > begin and (place - begin >= _MOST_CHANGES or size + added > _MOST_BYTES):
            yield changes[begin:place]
            begin, size = place, 0
        size += added
    if begin < len(changes):
        yield changes[begin:]


async def commit_changes(
    server: Server, origin: str, changes: Sequence[Change], *, largest: int
) -> tuple[list[Verdict], Notice]:
    """The verdicts, in order, and the notice. The script applies all changes of the call or, when it fails, none."""
    encoded = encode_changes(changes, largest)
    verdicts: dict[int, Verdict] = dict(encoded.refused)
    if not encoded.places:
        return [verdicts[place] for place in range(len(changes))], Notice()
    kind = Kind.NEWS if changes[0].fence is None else Kind.OUTCOMES
    letters, details, queues, besides = await server.run(
        "commit", server.channel, origin, encoded.text, encoded.others, *encoded.blobs, kind=kind
    )
    verdicts.update(zip(encoded.places, _verdicts(letters.decode(), details), strict=True))
    told = [verdicts[place] for place in range(len(changes))]
    tasks = (*_ended(changes, told), *(task.decode() for task in besides))
    return told, Notice(frozenset(queue.decode() for queue in queues), tasks)


def _verdicts(letters: str, details: bytes) -> Iterator[Verdict]:
    if letters.strip("A") == "":
        yield from [APPLIED] * len(letters)
        return
    given: Iterator[Any] = iter(json.loads(details) if details else ())
    for letter in letters:
        match letter:
            case "A":
                yield APPLIED
            case "F":
                yield FENCED
            case "D":
                yield Duplicate(next(given))
            case _:
                yield Refused(*next(given))


def _ended(changes: Sequence[Change], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The tasks that may have become terminal or made progress."""
    for change, verdict in zip(changes, verdicts, strict=True):
        if verdict is not APPLIED:
            continue
        for write in change.writes:
            if isinstance(write, Settle | Bury | Report):
                assert change.fence is not None
                yield change.fence.task_id
            elif isinstance(write, Cancel):
                yield write.task_id


def _size(change: Change) -> int:
    size = 0
    for write in change.writes:
        if isinstance(write, Publish):
            size += len(write.body)
        elif isinstance(write, Settle):
            size += len(write.result or b"")
    return size
