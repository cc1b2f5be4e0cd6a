"""The scripts of the engine, by name: each is a file in `lua/`, read once, at its first use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stem.adapters.redis.blocks import composed
from stem.adapters.redis.newrows import QUEUED_ONLY
from stem.adapters.redis.rows import LATEST, NEVER, ROW, WITH_PLACE, compiled, lua_codec
from stem.contracts.limits import MOST_MOVED
from stem.contracts.losses import LOST_BEFORE_CRASH
from stem.contracts.retention import KEEP_AT_LEAST, KEEP_OPEN_GROUP, Retention
from stem.contracts.store import MAX_LEASE_BYTES, MOST_CANCELLED
from stem.contracts.upstream import GROUP_CLOSED, REMOVED, UPSTREAM_FAILED, group_closed, upstream_failed
from stem.tasks.links import After, GroupState
from stem.tasks.state import TERMINAL, TaskEvent, TaskState, advance, allowed_from, outcome_state

__all__ = ["FOLDER", "KEYS", "SCRIPTS", "Script", "files_of", "keys_of", "script"]

FOLDER: Final = Path(__file__).parent / "lua"

KEYS: Final = (
    *("rows", "bodies", "results", "extras"),  # hashes by task id
    *("ready", "later", "refused"),  # messages in line, sorted by their bytes: see common.lua
    *("leased", "renewed"),  # calls that gave leases: when one may be suspect, when the last was renewed
    *("all", "dead", "ended"),  # by number of publication twice, by the end of retention
    *("uniques", "answers", "held"),
    *("counts", "names", "numbers", "workers"),
    *("groups", "links", "members", "work"),  # by id; who waits for what, who belongs to what, what is half done
    *("pauses", "revocations", "broadcasts", "locks", "schedules", "outcomes"),  # hashes
    "standing",  # by queue: whose request stands
    *("agenda", "order", "over"),  # schedules by their next time; what is listed; what has had its time, and when
)
"""Everything that a namespace keeps; each script is given all of them."""
_TASKS: Final = ("common", "lines", "writing")
_TIES: Final = ("links", "groups", "ties", "walks")
_SMALL: Final = ("common", "writing")
_BELOW: Final[Mapping[str, tuple[str, ...]]] = {
    "commit": (
        *_TASKS,
        "uniques",
        "ends",
        "reading",
        "free",
        "leased",
        "leases",
        "brief/life",
        "brief/handing",
        "brief/publishes",
        "brief/ends",
    ),
    "lease": (*_TASKS, "leases", "choosing", "brief/life", "brief/leases"),
    "retain": (*_TASKS, "uniques", "ends", *_TIES, "needs"),
    "awaited": (*_TASKS, "uniques", "ends", *_TIES, "needs"),
    **dict.fromkeys(("suspects", "take"), (*_TASKS, "leases")),
    **dict.fromkeys(("renew", "beat", "records", "page", "counts", "members"), _TASKS),
    **dict.fromkeys(("control/pause", "control/resume", "control/revoke", "control/revocations"), _SMALL),
    **dict.fromkeys(("control/revoked", "broadcasts/say", "broadcasts/hear"), _SMALL),
    **dict.fromkeys(("locks/acquire", "locks/renew", "locks/release", "locks/find"), (*_SMALL, "locks/held")),
    **dict.fromkeys(("schedules/put", "schedules/delete"), (*_SMALL, "schedules/entry")),
    **dict.fromkeys(("schedules/list", "schedules/due"), (*_SMALL, "schedules/entry")),
    **dict.fromkeys(("limits/declare", "limits/judge_anew", "limits/list", "limits/room"), (*_SMALL, "limits/gates")),
    **dict.fromkeys(("outcomes/record", "outcomes/find", "outcomes/forget"), (*_SMALL, "outcomes/stored")),
    "outcomes/old": _SMALL,
}
"""What each script builds on."""
_RARE: Final[Mapping[str, tuple[str, ...]]] = {
    "commit": (*_TIES, "schedules/entry", "again", "arrange", "check", "limits/gates"),
    "lease": ("uniques", "ends", *_TIES, "closed", "limits/gates", "limits/judge", "limits/back", "limits/pick"),
    "retain": ("limits/gates",),
}
"""What it builds on when it comes upon a group, a continuation, a limit or a write that is not an everyday one."""
SCRIPTS: Final = tuple(_BELOW)
_FREQUENT: Final = ("commit", "lease")
_GRACE: Final = 1_000_000
"""Microseconds beyond a third of its length for which a lease may go without renewal."""
_STANDS_FOR: Final = 6_000_000
"""Microseconds for which a request stands: a little longer than its worker waits before it asks again."""
_GONE: Final = "gone"
"""The state of a group that nobody sealed in time: it is unknown, and its members go."""
_DECLARED: Final = r"\255"
"""A member of `refused` that begins as no queue does: limits are declared. So one look tells all that is rare."""
_CONSTANT: Final = re.compile(r"\b[A-Z][A-Z_]+\b")


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the name under which the server knows it once it was sent."""

    text: str
    sha: str
    function: str | None
    """Its name as a function, where it is called so often that the server should keep it made."""
    functions: str
    """The text that makes this function known."""


def keys_of(namespace: str) -> tuple[str, ...]:
    """The keys of a namespace, all under one hash tag, so that a cluster keeps them together."""
    return tuple(f"{{stem:{namespace}}}:{name}" for name in KEYS)


def files_of(name: str) -> tuple[str, ...]:
    """The files in `lua/` of which a script is made, the last of them its own."""
    return (*_BELOW[name], *_RARE.get(name, ()), name)


@cache
def script(name: str, retention: Retention = Retention()) -> Script:  # noqa: B008  # a frozen value
    """The script `lua/<name>.lua` behind the files that it builds on; how long records are kept is written into it."""
    scalars, tables = _scalars(), _tables(retention)

    def read(file: str) -> str:
        text = (FOLDER / f"{file}.lua").read_text(encoding="utf-8")
        return _CONSTANT.sub(lambda found: scalars.get(found[0], found[0]), compiled(text))

    below, rare = _BELOW[name], _RARE.get(name, ())
    code = composed((lua_codec(), *map(read, below)), [*map(read, rare)], read(name))
    named = [f"local {table} = {value}" for table, value in tables.items() if re.search(rf"\b{table}\b", code)]
    return _script(name, "\n".join((*named, code)))


def _script(name: str, code: str) -> Script:
    """Both forms of a text that ends with `run`. A function is named by its text: versions live side by side."""
    text = f"local given, words = KEYS, ARGV\n{code}\nreturn run(given, words)"
    sha = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324  # the name that the server gives it
    function = f"stem_{name.replace('/', '_')}_{sha[:16]}"
    functions = f"#!lua name={function}\n{code}\nredis.register_function('{function}', run)"
    return Script(text, sha, function if name in _FREQUENT else None, functions)


def _scalars() -> dict[str, str]:
    """The constants that are written into the code itself: a name would cost each function that uses it a little."""
    states = {
        "QUEUED": TaskState.QUEUED,
        "RUNNING": advance(TaskState.QUEUED, TaskEvent.LEASED),
        "SUCCEEDED": outcome_state(TaskEvent.SUCCEEDED),
        "CANCELLED": advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED),
        **{state.name: state for state in GroupState},
    }
    texts = {
        **{name: state.value for name, state in states.items()},
        "REMOVED": REMOVED,
        "GONE": _GONE,
        "UPSTREAM_FAILED": UPSTREAM_FAILED,
        "TASK_IS": upstream_failed(After("%s", "task"), "%s").message,
        "GROUP_IS": upstream_failed(After("%s", "group"), "%s").message,
        "GROUP_CLOSED": GROUP_CLOSED,
        "DECLARED": _DECLARED,
        "GROUP_HAS_ANSWER": group_closed("%s").message,
    }
    numbers = {
        "LATEST": LATEST,
        "NEVER": NEVER,
        "LOST_BEFORE_CRASH": LOST_BEFORE_CRASH,
        "KEEP_AT_LEAST": KEEP_AT_LEAST,
        "KEEP_OPEN_GROUP": KEEP_OPEN_GROUP,
        "MOST_BYTES": MAX_LEASE_BYTES,
        "MOST_CANCELLED": MOST_CANCELLED,
        "MOST_MOVED": MOST_MOVED,
        "GRACE": _GRACE,
        "STANDS_FOR": _STANDS_FOR,
        "WITH_PLACE": WITH_PLACE,
    }
    keys = {name.upper(): f"KEYS[{place}]" for place, name in enumerate(KEYS, 1)}
    return {**keys, **_quoted(texts), **{name: str(number) for name, number in numbers.items()}, **_brief_scalars()}


def _brief_scalars() -> dict[str, str]:
    """Of the rows of ordinary tasks, which are cut and joined as texts: where what begins, what is in almost all."""
    places = {
        "BORN_TO": ROW.at("due") - 1,
        "SIZE_AT": ROW.at("size"),
        "TTL_AT": ROW.at("result_ttl"),
        "LIVE_AT": ROW.at("lease"),
        "COUNTERS_AT": ROW.at("deliveries"),
        "NAMES_AT": ROW.texts_at() + len(QUEUED_ONLY),
    }
    texts = {
        "NEVER_LEASED": _escaped(ROW.packed("lease", reported=NEVER) + QUEUED_ONLY),
        "HELD_ONCE": _escaped(ROW.packed("deliveries", deliveries=1, fence=1)),
        "OVER_AT_ONCE": _escaped(ROW.packed("deliveries", deliveries=1, fence=1, used_fence=1)),
        "NO_TIME": _escaped(bytes(8)),
        "LIVE": ROW.format_of("lease", "alone"),
        "TTL_AND_LIVE": ROW.format_of("result_ttl", "alone"),
    }
    return {**_quoted(texts), **{name: str(place) for name, place in places.items()}}


def _quoted(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: f"'{text}'" for name, text in texts.items()}


def _tables(retention: Retention) -> dict[str, str]:
    """The constants that are tables: sets of states, and for each end how long its record is kept."""
    ends = {state.value: retention.terms(state, dead=False) for state in TERMINAL}
    ends["dead"] = retention.terms(outcome_state(TaskEvent.BURIED), dead=True)
    sets = {
        "TERMINAL": TERMINAL,
        "LEASABLE": allowed_from(TaskEvent.LEASED),
        "REPLAYABLE": allowed_from(TaskEvent.REPLAYED),
    }
    return {
        **{name: _lua_table((state.value, "true") for state in states) for name, states in sets.items()},
        "KEEP_TIMES": _lua_table((end, str(times)) for end, (times, _) in ends.items()),
        "KEEP_LEAST": _lua_table((end, str(least)) for end, (_, least) in ends.items()),
    }


def _escaped(raw: bytes) -> str:
    """The inside of a text of the scripts' language."""
    return "".join(f"\\{byte:03}" for byte in raw)


def _lua_table(entries: Iterable[tuple[str, str]]) -> str:
    return "{ " + ", ".join(f"['{name}'] = {value}" for name, value in sorted(entries)) + " }"
