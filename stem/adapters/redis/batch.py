"""A batch of changes as the arguments of a script. Pure.

Nearly all changes are publishes and ends without anything special, and in a batch many of them are alike. Changes that
follow each other and are alike are a run: what they have in common is said once. All others are written as JSON.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from stem.adapters.redis.changes import OUTCOMES, add_task, encode_change
from stem.adapters.redis.newrows import HIGHEST, cut, sized
from stem.clock import Micros
from stem.codec import dump_json
from stem.contracts.changes import Change, Fence, Publish, RefusalCode, Refused, Settle
from stem.contracts.wellformed import event_of, refuse
from stem.errors import ConfigError

__all__ = ["Encoded", "encode_changes"]

_LOWEST: Final = 255
_NUMBERS: Final = struct.Struct(">qqIIB")


class _Alike(NamedTuple):
    """What changes have in common: of publishes the queue, the name, the priority and the delay; of ends the nonce and
    the counter of their fences, the state and their number."""

    letter: bytes
    first_text: str = ""
    second_text: str = ""
    first_number: int = 0
    second_number: Micros = 0
    step: int = 0
    """How many blobs each brings."""


_OTHERS: Final = _Alike(b"J")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch for the server: which changes, by their place; the runs of alike ones as one text, beside it the JSON of
    those that are not packed; their bytes; and what was refused."""

    places: list[int]
    text: bytes
    others: bytes
    blobs: list[bytes]
    refused: dict[int, Refused]


def encode_changes(changes: Sequence[Change], largest: int) -> Encoded:
    """The batch, without the changes that cannot be taken whatever the store holds."""
    refused = {place: no for place, change in enumerate(changes) if (no := _refuse(change, largest)) is not None}
    try:
        return _encode(changes, refused)
    except (ConfigError, UnicodeEncodeError):  # one of them cannot be written: only then is each looked at alone
        unwritable = Refused(RefusalCode.REJECTED, "text that UTF-8 cannot hold")
        silent = {place: unwritable for place, change in enumerate(changes) if not _is_writable(change)}
        return _encode(changes, {**silent, **refused})


def _encode(changes: Sequence[Change], refused: dict[int, Refused]) -> Encoded:
    """All that is not refused; what is JSON is one text, since one for each change would cost six times as much."""
    blobs: list[bytes] = []
    others: list[list[object]] = []
    runs: list[bytes] = []
    places = [place for place in range(len(changes)) if place not in refused]
    before, count, begin = _OTHERS, 0, 1
    for place in places:
        alike, first = _alike(changes[place]), len(blobs) + 1
        if alike != before:
            runs.append(_run(before, count, begin))
            before, count, begin = alike, 0, first
        count += 1
        _add(changes[place], alike, blobs, others)
    runs.append(_run(before, count, begin))
    return Encoded(places, b"".join(runs), dump_json(others) if others else b"", blobs, refused)


def _run(alike: _Alike, count: int, first: int) -> bytes:
    if count == 0:
        return b""
    numbers = _NUMBERS.pack(alike.first_number, alike.second_number, count, first, alike.step)
    return b"".join((alike.letter, sized(alike.first_text), sized(alike.second_text), numbers))


def _alike(change: Change) -> _Alike:
    """What to say of the change in common with others, if it is one of those that are packed."""
    write, fence = change.writes[0], change.fence
    if len(change.writes) > 1:
        return _OTHERS
    if fence is None:
        return _alike_publish(write) if isinstance(write, Publish) and _is_plain(write) else _OTHERS
    if isinstance(write, Settle) and write.error is None and 0 <= change.number <= HIGHEST:
        return _alike_end(write, fence, change.number)
    return _OTHERS


def _is_plain(write: Publish) -> bool:
    special = (write.unique, write.after, write.member, write.not_before, write.envelope.expires)
    return special == (None, None, None, None, None)


def _alike_publish(write: Publish) -> _Alike:
    envelope = write.envelope
    return _Alike(b"P", envelope.queue, envelope.name, envelope.priority, cut(write.delay), 3)


def _alike_end(write: Settle, fence: Fence, number: int) -> _Alike:
    step = 1 if write.result is None else 2
    return _Alike(b"S", fence.nonce, OUTCOMES[event_of(write)], fence.counter, number, step)


def _add(change: Change, alike: _Alike, blobs: list[bytes], others: list[list[object]]) -> None:
    write = change.writes[0]
    if alike is _OTHERS:
        others.append(encode_change(change, blobs))
    elif isinstance(write, Publish):
        blobs.append(write.envelope.id.encode())
        add_task(write, blobs)
    elif isinstance(write, Settle) and change.fence is not None:
        blobs.append(change.fence.task_id.encode())
        if write.result is not None:
            blobs.append(write.result)


def _is_writable(change: Change) -> bool:
    try:
        _encode([change], {})
    except (ConfigError, UnicodeEncodeError):
        return False
    return True


def _refuse(change: Change, largest: int) -> Refused | None:
    """What every engine refuses, and a priority that does not fit into a byte."""
    for write in change.writes:
        if isinstance(write, Publish) and not 0 <= write.envelope.priority <= _LOWEST:
            return Refused(RefusalCode.REJECTED, f"the priority {write.envelope.priority}")
    return refuse(change, largest)
