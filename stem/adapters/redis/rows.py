"""The rows of tasks and of groups: binary strings of numbers and texts, written by scripts, read here. Pure.

A row is one value of one hash, so that a script reads or writes those of a whole batch with one command. The layouts
are told once, here; the scripts are given functions made from them.
"""

from __future__ import annotations

import re
import struct
from collections import namedtuple
from typing import Any, Final, Protocol

__all__ = [
    "GROUP",
    "LATEST",
    "NEVER",
    "ROW",
    "TEXTS_OF_A_DELIVERY",
    "TEXTS_OF_A_RESULT",
    "WITH_PLACE",
    "compiled",
    "lua_codec",
    "read_group",
    "read_row",
]

LATEST: Final = (1 << 53) - 1
"""Times and numbers are cut here: scripts calculate with doubles."""
NEVER: Final = -LATEST
"""Before every time and number."""
_LUA_KINDS: Final = {"q": "i8", "I": "I4", "B": "B"}
_namedtuple: Final[Any] = namedtuple  # noqa: PYI024  # its names are told below, once, where no checker follows


class Reader(Protocol):
    """Reads the rows of a layout."""

    def __call__(self, raw: bytes, first: int | None = None, /) -> Any: ...


class Layout:
    """What the fields of a kind of row are called: the numbers, by their kinds, then the texts."""

    def __init__(self, name: str, numbers: dict[str, str], texts: str) -> None:
        self.name: Final = name
        self._kinds = "".join(kind * len(names.split()) for kind, names in numbers.items())
        self._texts = texts.split()
        names = [name for group in numbers.values() for name in group.split()] + self._texts
        self.places: Final = {name: place for place, name in enumerate(names, 1)}

    def reader(self) -> Reader:
        """A function that makes a tuple, with the names of the fields, of the bytes of a row.

        Only the first texts are read where their number is given: half the work.
        """
        fixed, texts = struct.Struct(f">{self._kinds}"), len(self._texts)
        numbers_of, size_at = fixed.unpack_from, struct.Struct(">I").unpack_from
        make: Any = _namedtuple(self.name, self.places)._make

        def read(raw: bytes, first: int | None = None) -> Any:
            read, end = texts if first is None else first, fixed.size
            values: list[str] = []
            for _ in range(read):
                begin = end + 4
                end = begin + size_at(raw, end)[0]
                values.append(raw[begin:end].decode())
            return make((*numbers_of(raw), *values, *("",) * (texts - read)))

        return read

    def texts_to(self, name: str) -> int:
        """How many texts have to be read for the one with this name."""
        return self._texts.index(name) + 1

    def lua(self) -> str:
        """The functions `decode_<name>(raw)`, `encode_<name>(row)` and `new_<name>()` for scripts."""
        name, fixed, size = self.name, len(self._kinds), len(self.places)
        layout = ">" + "".join(_LUA_KINDS[kind] for kind in self._kinds) + "I4c0" * len(self._texts)
        numbers = ", ".join(f"row[{place}]" for place in range(1, fixed + 1))
        texts = ", ".join(f"#row[{place}], row[{place}]" for place in range(fixed + 1, size + 1))
        fresh = ", ".join(["0"] * fixed + ["''"] * len(self._texts))
        return (
            f"local function decode_{name}(raw)\n  return {{ struct.unpack('{layout}', raw) }}\nend\n"
            f"local function encode_{name}(row)\n  return struct.pack('{layout}', {numbers}, {texts})\nend\n"
            f"local function new_{name}()\n  return {{ {fresh} }}\nend\n"
        )


ROW: Final = Layout(
    "row",
    {
        "q": "seq due published accepted expires lease lease_until started_at finished result_until keep_until"
        " result_ttl lifetime reported used_number",
        "I": "size attempt max_retries generation deliveries crashes lost parks fence used_fence",
        "B": "priority ignored started lost_started began cancel terminate has_extras refused is_unique"
        " follows belongs held_after held_member awaited joined pinned",
    },
    "id state queue name nonce used_nonce worker key head",
)
"""A task. `follows`: it has an `after`; `belongs`: 1 to a group, 2 with a place in it; `held_after` and
`held_member`: what holds it still; `awaited`: a continuation of it was published; `joined`: its group has heard of its
end; `pinned`: its time of retention came while somebody needed it."""
WITH_PLACE: Final = 2
"""What `belongs` says of a member that has a place."""
GROUP: Final = Layout(
    "group",
    {"q": "size filled joined succeeded left opened closed result_ttl", "B": "awaited pinned removing"},
    "id state policy root cursor",
)
"""A group. `left` counts members that have not ended yet, those without a place too; `awaited` and `pinned` as for a
task, the latter also for one of its members; `removing`: its time is over, and its members go; `cursor`: the bytes of
the member that a walk has reached."""
_FIELD: Final = re.compile(r"\b(row|group)\.(\w+)")
_LAYOUTS: Final = {layout.name: layout for layout in (ROW, GROUP)}

TEXTS_OF_A_RESULT: Final = ROW.texts_to("state")
TEXTS_OF_A_DELIVERY: Final = ROW.texts_to("nonce")
read_row: Final = ROW.reader()
"""The row of a task; one of C's tuples, because a worker reads one for each task."""
read_group: Final = GROUP.reader()
"""The row of a group."""


def lua_codec() -> str:
    """The functions for scripts that make tables of rows and rows of tables; `compiled` says what such a table is."""
    return "".join(layout.lua() for layout in _LAYOUTS.values())


def compiled(text: str) -> str:
    """A script that says `row.name`, with the places of the fields, which cost scripts half of what names cost.

    Raises `KeyError` for a name that is no field.
    """
    return _FIELD.sub(lambda found: f"{found[1]}[{_LAYOUTS[found[1]].places[found[2]]}]", text)
