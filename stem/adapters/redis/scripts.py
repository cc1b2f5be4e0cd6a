"""The scripts of the engine, by name: each is a file in `lua/`, read once, at its first use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stem.adapters.redis.rows import LATEST, NEVER_REPORTED, compiled, lua_codec
from stem.contracts.losses import LOST_BEFORE_CRASH
from stem.contracts.retention import keep_for
from stem.contracts.store import MAX_LEASE_BYTES
from stem.tasks.state import TERMINAL, TaskEvent, TaskState, advance, allowed_from

__all__ = ["FOLDER", "KEYS", "SCRIPTS", "Script", "keys_of", "script"]

FOLDER: Final = Path(__file__).parent / "lua"

KEYS: Final = (
    *("rows", "bodies", "results", "extras"),  # hashes by task id
    *("ready", "later", "refused"),  # messages in line, sorted by their bytes: see common.lua
    *("leased", "renewed"),  # calls that gave leases: when one may be suspect, when the last was renewed
    *("all", "dead", "ended"),  # by number of publication twice, by the end of retention
    *("uniques", "unique_ends", "answers", "held"),
    *("counts", "names", "numbers", "workers"),
)
"""Everything that a namespace keeps; each script is given all of them."""
SCRIPTS: Final = (
    *("commit", "lease", "suspects", "take", "renew", "retain", "beat"),  # these write
    *("records", "page", "counts"),
)
_SHARED: Final = ("common", "lines", "writing")
_BELOW: Final[Mapping[str, tuple[str, ...]]] = {"commit": ("free", "leased")}
_GRACE: Final = 1_000_000
"""Microseconds beyond a third of its length for which a lease may go without renewal."""
_CANCELLED: Final = advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED)


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the name under which the server knows it once it was sent."""

    text: str
    sha: str


def keys_of(namespace: str) -> tuple[str, ...]:
    """The keys of a namespace, all under one hash tag, so that a cluster keeps them together."""
    return tuple(f"{{stem:{namespace}}}:{name}" for name in KEYS)


@cache
def script(name: str) -> Script:
    """The script `lua/<name>.lua` behind the files that it builds on."""
    parts = map(_file, (*_SHARED, *_BELOW.get(name, ()), name))
    text = "\n".join((_constants(), lua_codec(), *parts))
    return Script(text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324  # the name that the server gives it


def _file(name: str) -> str:
    return compiled((FOLDER / f"{name}.lua").read_text(encoding="utf-8"))


def _constants() -> str:
    values: dict[str, object] = {
        "LATEST": LATEST,
        "NEVER_REPORTED": NEVER_REPORTED,
        "LOST_BEFORE_CRASH": LOST_BEFORE_CRASH,
        "KEPT": keep_for(0, dead=False),
        "KEPT_DEAD": keep_for(0, dead=True),
        "MOST_BYTES": MAX_LEASE_BYTES,
        "GRACE": _GRACE,
    }
    states = {
        "QUEUED": TaskState.QUEUED,
        "RUNNING": advance(TaskState.QUEUED, TaskEvent.LEASED),
        "CANCELLED": _CANCELLED,
    }
    sets = {
        "TERMINAL": TERMINAL,
        "LEASABLE": allowed_from(TaskEvent.LEASED),
        "REPLAYABLE": allowed_from(TaskEvent.REPLAYED),
    }
    return "\n".join(
        (
            f"local {', '.join(name.upper() for name in KEYS)} = unpack(KEYS)",
            *(f"local {name} = {value}" for name, value in values.items()),
            *(f"local {name} = '{state.value}'" for name, state in states.items()),
            *(f"local {name} = {_lua_set(members)}" for name, members in sets.items()),
        )
    )


def _lua_set(states: frozenset[TaskState]) -> str:
    return "{ " + ", ".join(f"['{value}'] = true" for value in sorted(state.value for state in states)) + " }"
