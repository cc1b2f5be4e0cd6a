"""Taking unique keys: who holds a key is decided by one row, whatever else happens at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from stem.adapters.postgres.write import Writing
from stem.clock import Micros
from stem.contracts.changes import APPLIED, Duplicate, Publish, UniqueKey, Verdict

__all__ = ["publish_unique", "take_key"]

_LATEST: Micros = 1 << 60
_ROUNDS = 20


async def publish_unique(writing: Writing, writes: Sequence[Publish]) -> list[Verdict]:
    """Publish messages whose keys differ, each with its key or not at all; in one transaction."""
    known = {row[0] for row in await writing.fetch("known", ids=[write.envelope.id for write in writes])}
    new = [write for write in writes if write.envelope.id not in known]
    holders = await _take(writing, {_key(write): write.envelope.id for write in new}, _lifetimes(new))
    free = [write for write in new if _key(write) not in holders]
    if free:
        await writing.publish(free)
    return [_verdict(write, holders) for write in writes]


async def take_key(writing: Writing, unique: UniqueKey, task: str) -> str | None:
    """Take a key for a task; the id of the other task that has it."""
    holders = await _take(writing, {unique.key: task}, {unique.key: unique.lifetime})
    return next((holder for holder in holders.values() if holder != task), None)


def _verdict(write: Publish, holders: dict[str, str]) -> Verdict:
    holder = holders.get(_key(write), write.envelope.id)
    return APPLIED if holder == write.envelope.id else Duplicate(holder)


def _key(write: Publish) -> str:
    assert write.unique is not None
    return write.unique.key


def _lifetimes(writes: Sequence[Publish]) -> dict[str, Micros | None]:
    return {write.unique.key: write.unique.lifetime for write in writes if write.unique is not None}


async def _take(writing: Writing, wanted: dict[str, str], lifetimes: dict[str, Micros | None]) -> dict[str, str]:
    """Take the keys that are free; the holders of the others. Keys are locked in one order, so that nobody is stuck."""
    holders: dict[str, str] = {}
    left = sorted(wanted)
    if left:
        await writing.fetch("unique_expire", keys=left)
    for _ in range(_ROUNDS):  # a key may become free between the two statements
        if not left:
            break
        lifetime = [None if (given := lifetimes[key]) is None else min(given, _LATEST) for key in left]
        arguments = {"keys": left, "holders": [wanted[key] for key in left], "lifetimes": lifetime}
        taken = {row[0] for row in await writing.fetch("unique_hold", **arguments)}
        rows = await writing.fetch("unique_holders", keys=[key for key in left if key not in taken])
        holders.update({cast("str", row[0]): cast("str", row[1]) for row in rows})
        left = [key for key in left if key not in taken and key not in holders]
    return holders
