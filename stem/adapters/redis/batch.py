"""A batch of changes as the arguments of a script. Pure.

Nearly all changes are publishes and ends without anything special: these are packed. All others are written as JSON.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from stem.adapters.redis.changes import OUTCOMES, add_task, encode_change
from stem.adapters.redis.newrows import HIGHEST, cut, sized
from stem.codec import dump_json
from stem.contracts.changes import Change, Fence, Publish, RefusalCode, Refused, Settle
from stem.contracts.wellformed import event_of, refuse
from stem.errors import ConfigError

__all__ = ["Encoded", "encode_changes"]

_LOWEST: Final = 255
_PUBLISH: Final = struct.Struct(">BIq")
_END: Final = struct.Struct(">III")
_OTHER: Final = b"J"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch for the server: which changes, by their place; as one text, beside it the JSON of those that are not
    packed; their bytes; and what was refused."""

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
    packed: list[bytes] = []
    places = [place for place in range(len(changes)) if place not in refused]
    for place in places:
        text = _pack(changes[place], blobs)
        if text is None:
            others.append(encode_change(changes[place], blobs))
        packed.append(text or _OTHER)
    return Encoded(places, b"".join(packed), dump_json(others) if others else b"", blobs, refused)


def _pack(change: Change, blobs: list[bytes]) -> bytes | None:
    """The change, if it is one of those that are packed; what it brings is added to the blobs."""
    write, fence = change.writes[0], change.fence
    if len(change.writes) == 1:
        if isinstance(write, Publish) and fence is None and _is_plain(write):
            return _pack_publish(write, blobs)
        if isinstance(write, Settle) and fence is not None and write.error is None and 0 <= change.number <= HIGHEST:
            return _pack_end(write, fence, change.number, blobs)
    return None


def _is_plain(write: Publish) -> bool:
    special = (write.unique, write.after, write.member, write.not_before, write.envelope.expires)
    return special == (None, None, None, None, None)


def _pack_publish(write: Publish, blobs: list[bytes]) -> bytes:
    envelope = write.envelope
    numbers = _PUBLISH.pack(envelope.priority, add_task(write, blobs), cut(write.delay))
    return b"".join((b"P", sized(envelope.id), _names(envelope.queue, envelope.name), numbers))


def _pack_end(write: Settle, fence: Fence, number: int, blobs: list[bytes]) -> bytes:
    blob = 0
    if write.result is not None:
        blobs.append(write.result)
        blob = len(blobs)
    numbers = _END.pack(fence.counter, number, blob)
    return b"".join((b"S", sized(fence.task_id), sized(fence.nonce), sized(OUTCOMES[event_of(write)]), numbers))


@lru_cache(maxsize=1024)
def _names(queue: str, name: str) -> bytes:
    return sized(queue) + sized(name)


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
