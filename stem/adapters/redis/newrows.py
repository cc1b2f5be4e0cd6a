"""The row of a new task, as its producer packs it: all but what only the server knows. Pure."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from stem.adapters.redis.rows import LATEST, NEVER, ROW
from stem.clock import Micros
from stem.contracts.changes import Publish
from stem.tasks.state import TaskState

__all__ = ["HIGHEST", "QUEUED_ONLY", "cut", "pack_row", "sized"]

_NUMBERS: Final = ROW.numbers(
    "size", "max_retries", "priority", "lifetime", "result_ttl", "reported", "ignored", "is_unique"
)
HIGHEST: Final = (1 << 32) - 1
_SIZE: Final = struct.Struct(">I")
_NOTHING: Final = _SIZE.pack(0)


def pack_row(write: Publish, head: str) -> bytes:
    """The row, for the scripts to complete. Raises `UnicodeEncodeError` for text that UTF-8 cannot hold."""
    envelope, unique = write.envelope, write.unique
    lifetime = None if unique is None else unique.lifetime
    numbers = _NUMBERS.pack(
        len(write.body),
        min(envelope.max_retries, HIGHEST),
        envelope.priority,
        -1 if lifetime is None else cut(lifetime),
        cut(envelope.result_ttl),
        NEVER,
        envelope.ignore_result,
        unique is not None,
    )
    key = _NOTHING if unique is None else sized(unique.key)
    return b"".join((numbers, _names(envelope.queue, envelope.name), key, sized(head), sized(envelope.id)))


def cut(time: Micros) -> Micros:
    """The nearest number that scripts can calculate with."""
    if NEVER <= time <= LATEST:
        return time
    return max(-LATEST, min(time, LATEST))


@lru_cache(maxsize=1024)
def _names(queue: str, name: str) -> bytes:
    return QUEUED_ONLY + sized(queue) + sized(name)


def sized(text: str) -> bytes:
    """The text behind its length."""
    raw = text.encode()
    return _SIZE.pack(len(raw)) + raw


QUEUED_ONLY: Final = sized(TaskState.QUEUED.value) + 3 * _NOTHING
"""The texts from `state` to `worker` of what was never leased."""
