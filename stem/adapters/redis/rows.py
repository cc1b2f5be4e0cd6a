"""The rows of tasks and of groups: binary strings of numbers and texts, written by scripts, read here. Pure.

A row is one value of one hash, so that a script reads or writes those of a whole batch with one command. The layouts
are told once, here; the scripts are given functions made from them.
"""

from __future__ import annotations

import re
import struct
from collections import namedtuple
from collections.abc import Sequence
from typing import Any, Final, Protocol

__all__ = [
    "GROUP",
    "LATEST",
    "NEVER",
    "ROW",
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


Numbers = tuple[tuple[str, str], ...]
"""Kinds, each with the names of the fields that have it, in their order."""


class Reader(Protocol):
    """Reads the rows of a layout."""

    def __call__(self, raw: bytes, first: int | None = None, /) -> Any: ...


class Layout:
    """What the fields of a kind of row are called: the numbers, by their kinds, then the texts.

    The first `stamps` of the numbers are those that only the server knows of a new row. Numbers that are `quiet` are 0
    in almost every row: scripts read and write them as one string, which ordinary rows have in common.
    """

    def __init__(self, name: str, numbers: Numbers, texts: str, *, quiet: Numbers, stamps: int = 0) -> None:
        self.name: Final = name
        self._stamps: Final = stamps
        self._loud, self._quiet = _kinds(numbers), _kinds(quiet)
        self._texts = texts.split()
        names = [name for _, group in (*numbers, *quiet) for name in group.split()]
        self.places: Final = {name: place for place, name in enumerate((*names, *self._texts), 1)}

    def reader(self) -> Reader:
        """A function that makes a tuple, with the names of the fields, of the bytes of a row.

        Only the first texts are read where their number is given: half the work.
        """
        fixed, texts = struct.Struct(f">{self._loud}{self._quiet}"), len(self._texts)
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

    def numbers(self, *given: str) -> struct.Struct:
        """What packs these numbers, in the order of the layout, into a row without its stamps; all others are 0."""
        return self._only(given, self._stamps)

    def picked(self, *wanted: str) -> struct.Struct:
        """What reads these numbers of a row, in the order of the layout."""
        return self._only(wanted, 0)

    def _only(self, names: Sequence[str], begin: int) -> struct.Struct:
        fields = list(zip(self.places, self._loud + self._quiet, strict=False))[begin:]
        kinds = (kind if name in names else f"{struct.calcsize(f'>{kind}')}x" for name, kind in fields)
        return struct.Struct(f">{''.join(kinds)}")

    def at(self, name: str) -> int:
        """Where the bytes of a number begin, from 1."""
        return struct.calcsize(f">{(self._loud + self._quiet)[: self.places[name] - 1]}") + 1

    def packed(self, first: str, **given: int) -> bytes:
        """The numbers from this one to the last as they are stored; those that are not given are 0."""
        kinds = (self._loud + self._quiet)[self.places[first] - 1 :]
        names = list(self.places)[self.places[first] - 1 :]
        return struct.pack(f">{kinds}", *(given.get(name, 0) for name, _ in zip(names, kinds, strict=False)))

    def texts_at(self) -> int:
        """Where the texts begin, from 1."""
        return struct.calcsize(f">{self._loud}{self._quiet}") + 1

    def format_of(self, first: str, last: str) -> str:
        """How scripts pack and read the numbers from the one to the other."""
        return f">{_lua_kinds((self._loud + self._quiet)[self.places[first] - 1 : self.places[last]])}"

    def texts_to(self, name: str) -> int:
        """How many texts have to be read for the one with this name."""
        return self._texts.index(name) + 1

    def lua(self) -> str:
        """The functions `decode_<name>(raw)`, `encode_<name>(row)`, `new_<name>()` for scripts, and
        `stamp_<name>(packed, ...)`, which completes a row that was packed without its stamps."""
        name, none, size = self.name, f"QUIET_{self.name.upper()}", struct.calcsize(f">{self._quiet}")
        loud = [f"n{place}" for place in range(len(self._loud))]
        quiet = [f"q{place}" for place in range(len(self._quiet))]
        texts = [f"t{place}" for place in range(len(self._texts))]
        places = [f"row[{place}]" for place in self.places.values()]
        last, first = len(loud), len(loud) + len(quiet)
        packed = [*places[:last], "quiet", *(f"#{place}, {place}" for place in places[first:])]
        layout = f"'>{_lua_kinds(self._loud)}c{size}{'I4c0' * len(texts)}'"
        return f"""local {none} = ('\\0'):rep({size})
local function decode_{name}(raw)
  local {_listed(*loud, "quiet", *texts)} = struct.unpack({layout}, raw)
  if quiet == {none} then
    return {{ {_listed(*loud, *("0" for _ in quiet), *texts)} }}
  end
  local {_listed(*quiet)} = struct.unpack('>{_lua_kinds(self._quiet)}', quiet)
  return {{ {_listed(*loud, *quiet, *texts)} }}
end
local function encode_{name}(row)
  local quiet = {none}
  if {" + ".join(places[last:first])} > 0 then
    quiet = struct.pack('>{_lua_kinds(self._quiet)}', {_listed(*places[last:first])})
  end
  return struct.pack({layout}, {_listed(*packed)})
end
local function new_{name}()
  return {{ {_listed(*("0" for _ in places[:first]), *("''" for _ in texts))} }}
end
local function stamp_{name}(packed, ...)
  return struct.pack('>{_lua_kinds(self._loud[: self._stamps])}', ...) .. packed
end
"""


def _kinds(numbers: Numbers) -> str:
    return "".join(kind * len(names.split()) for kind, names in numbers)


def _lua_kinds(kinds: str) -> str:
    return "".join(_LUA_KINDS[kind] for kind in kinds)


def _listed(*names: str) -> str:
    return ", ".join(names)


ROW: Final = Layout(
    "row",
    (
        ("q", "seq published accepted expires due"),
        ("I", "size max_retries"),
        ("B", "priority"),
        ("q", "lifetime result_ttl"),
        ("q", "lease lease_until started_at finished result_until keep_until reported used_number"),
        ("B", "started began alone"),
        ("I", "deliveries fence used_fence"),
    ),
    "state nonce used_nonce worker queue name key head id",
    quiet=(
        ("I", "attempt generation crashes lost parks"),
        ("B", "ignored lost_started cancel terminate has_extras refused is_unique"),
        ("B", "follows belongs held_after held_member awaited joined pinned"),
    ),
    stamps=5,
)
"""A task. From `lease` to `worker` is what changes in an ordinary life, in one piece: see lua/brief/. `alone`: the call
that leased it leased nothing else; `follows`: it has an `after`; `belongs`: 1 to a group, 2 with a place in it;
`held_after` and `held_member`: what holds it still; `awaited`: a continuation of it was published; `joined`: its group
has heard of its end; `pinned`: its time of retention came while somebody needed it."""
WITH_PLACE: Final = 2
"""What `belongs` says of a member that has a place."""
GROUP: Final = Layout(
    "group",
    (("q", "size filled joined succeeded left opened closed result_ttl"),),
    "id state policy root cursor",
    quiet=(("B", "awaited pinned removing"),),
)
"""A group. `left` counts members that have not ended yet, those without a place too; `awaited` and `pinned` as for a
task, the latter also for one of its members; `removing`: its time is over, and its members go; `cursor`: the bytes of
the member that a walk has reached."""
_FIELD: Final = re.compile(r"\b(row|group)\.(\w+)")
_LAYOUTS: Final = {layout.name: layout for layout in (ROW, GROUP)}

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
