"""Commit: a batch of changes in one script call, and what others should hear of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from stem.adapters.redis.batch import Encoded, encode_changes
from stem.adapters.redis.connection import Kind, Server
from stem.adapters.redis.driver import Value
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

__all__ = ["Read", "commit_changes", "in_batches", "send_changes"]

Read: TypeAlias = tuple[list[Verdict], Notice]
"""What an answer says: the verdicts, in order, and what others should hear of."""
_NAME: Final = "commit"
_NEWS: Final = (Settle, Bury, Report)
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


async def commit_changes(server: Server, origin: str, changes: Sequence[Change], *, largest: int) -> Read:
    """The verdicts, in order, and the notice. The script applies all changes of the call or, when it fails, none."""
    encoded = encode_changes(changes, largest)
    if not encoded.places:
        return [encoded.refused[place] for place in range(len(changes))], Notice()
    answer = await server.run(_NAME, *_words(server, origin, encoded), kind=_kind(changes))
    return _read(changes, encoded, answer)


def send_changes(
    server: Server, origin: str, changes: Sequence[Change], *, largest: int, told: Callable[[Read | None], None]
) -> bool:
    """The same without waiting, over an open connection. `told` is given `None` where `commit_changes` has to be asked
    again; False says that nothing was sent and nobody will be told."""
    encoded = encode_changes(changes, largest)

    def hear(answer: Any) -> None:
        told(None if isinstance(answer, BaseException) else _read(changes, encoded, answer))

    return bool(encoded.places) and server.send(_NAME, *_words(server, origin, encoded), kind=_kind(changes), told=hear)


def _words(server: Server, origin: str, encoded: Encoded) -> tuple[Value, ...]:
    return server.channel, origin, encoded.text, encoded.others, *encoded.blobs


def _kind(changes: Sequence[Change]) -> Kind:
    return Kind.NEWS if changes[0].fence is None else Kind.OUTCOMES


def _read(changes: Sequence[Change], encoded: Encoded, answer: Any) -> Read:
    letters, details, queues, besides = answer
    told = _verdicts(letters, details)
    if encoded.refused:
        verdicts = {**encoded.refused, **dict(zip(encoded.places, told, strict=True))}
        told = [verdicts[place] for place in range(len(changes))]
    tasks = (*_ended(changes, told), *[task.decode() for task in besides])
    return told, Notice(frozenset([queue.decode() for queue in queues]), tasks)


def _verdicts(letters: bytes, details: bytes) -> list[Verdict]:
    if letters.count(b"A") == len(letters):
        return [APPLIED] * len(letters)
    given: Iterator[Any] = iter(json.loads(details) if details else ())
    return [_verdict(letter, given) for letter in letters.decode()]


def _verdict(letter: str, given: Iterator[Any]) -> Verdict:
    match letter:
        case "A":
            return APPLIED
        case "F":
            return FENCED
        case "D":
            return Duplicate(next(given))
        case _:
            return Refused(*next(given))


def _ended(changes: Sequence[Change], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The tasks that may have become terminal or made progress."""
    for change, verdict in zip(changes, verdicts, strict=True):
        if verdict is not APPLIED:
            continue
        for write in change.writes:
            if isinstance(write, _NEWS):
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
