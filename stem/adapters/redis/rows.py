"""The row of a task: one binary string of numbers and texts, read and written by scripts, read here. Pure.

A row is one value of one hash, so that a script reads or writes those of a whole batch with one command. The layout
is told once, here; the scripts are given functions made from it.
"""

from __future__ import annotations

import re
import struct
from collections import namedtuple
from typing import Any, Final

__all__ = [
    "LATEST",
    "NEVER_REPORTED",
    "TEXTS_OF_A_DELIVERY",
    "TEXTS_OF_A_RESULT",
    "Row",
    "compiled",
    "lua_codec",
    "read_row",
]

LATEST: Final = (1 << 53) - 1
"""Times and numbers are cut here: scripts calculate with doubles."""
NEVER_REPORTED: Final = -LATEST
_NUMBERS: Final = (
    *(("q", name) for name in ("seq", "due", "published", "accepted", "expires", "lease", "lease_until")),
    *(("q", name) for name in ("started_at", "finished", "result_until", "keep_until", "result_ttl", "lifetime")),
    *(("q", name) for name in ("reported", "used_number")),
    *(("I", name) for name in ("size", "attempt", "max_retries", "generation", "deliveries", "crashes", "lost")),
    *(("I", name) for name in ("parks", "fence", "used_fence")),
    *(("B", name) for name in ("priority", "ignored", "started", "lost_started", "began", "cancel", "terminate")),
    *(("B", name) for name in ("has_extras", "refused", "is_unique")),
)
_TEXTS: Final = ("id", "state", "queue", "name", "nonce", "used_nonce", "worker", "key", "head")
TEXTS_OF_A_RESULT: Final = _TEXTS.index("state") + 1
TEXTS_OF_A_DELIVERY: Final = _TEXTS.index("nonce") + 1
_LUA_KINDS: Final = {"q": "i8", "I": "I4", "B": "B"}
_FIXED: Final = struct.Struct(">" + "".join(kind for kind, _ in _NUMBERS))
_UNREAD: Final = ("",) * len(_TEXTS)
_NAMES: Final = tuple(name for _, name in _NUMBERS)
_PLACES: Final = {name: place for place, name in enumerate((*_NAMES, *_TEXTS), 1)}
_FIELD: Final = re.compile(r"\brow\.(\w+)")

_namedtuple: Final[Any] = namedtuple  # noqa: PYI024  # its names are told above, once, where no checker follows
Row: Final[Any] = _namedtuple("Row", (*_NAMES, *_TEXTS))
"""A row by the names of its fields; one of C's tuples, because a worker reads one for each task."""


def read_row(raw: bytes, texts: int | None = None) -> Any:
    """The row of these bytes, as a `Row`; only the first `texts` texts are read where that is given: half the work."""
    values: list[Any] = [*_FIXED.unpack_from(raw)]
    begin = _FIXED.size + 4
    for _ in _TEXTS[:texts]:
        end = begin + int.from_bytes(raw[begin - 4 : begin], "big")
        values.append(raw[begin:end].decode())
        begin = end + 4
    values += _UNREAD[len(_TEXTS[:texts]) :]
    return Row._make(values)


def lua_codec() -> str:
    """The functions `decode(raw)`, `encode(row)` and `new_row()` for scripts; `compiled` says what a row is there."""
    layout = ">" + "".join(_LUA_KINDS[kind] for kind, _ in _NUMBERS) + "I4c0" * len(_TEXTS)
    numbers = ", ".join(f"row[{place}]" for place in range(1, len(_NUMBERS) + 1))
    texts = ", ".join(f"#row[{place}], row[{place}]" for place in range(len(_NUMBERS) + 1, len(_PLACES) + 1))
    fresh = ", ".join(["0"] * len(_NUMBERS) + ["''"] * len(_TEXTS))
    return (
        f"local function decode(raw)\n  return {{ struct.unpack('{layout}', raw) }}\nend\n"
        f"local function encode(row)\n  return struct.pack('{layout}', {numbers}, {texts})\nend\n"
        f"local function new_row()\n  return {{ {fresh} }}\nend\n"
    )


def compiled(text: str) -> str:
    """A script that says `row.name`, with the places of the fields, which cost scripts half of what names cost.

    Raises `KeyError` for a name that is no field.
    """
    return _FIELD.sub(lambda found: f"row[{_PLACES[found[1]]}]", text)
