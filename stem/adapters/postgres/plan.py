"""How a batch is cut: waves in which no task occurs twice, so that each wave is a few set-based statements. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from stem.contracts.changes import (
    Bury,
    Change,
    Publish,
    Release,
    Report,
    Reschedule,
    Settle,
    Start,
    Write,
)

__all__ = ["Kind", "Wave", "kind_of", "waves"]


class Kind(Enum):
    """Which statements do it."""

    PUBLISH = "publish"
    UNIQUE = "unique"
    START = "start"
    REPORT = "report"
    CONSUME = "consume"
    FOLLOW = "follow"
    ALONE = "alone"

    __hash__ = object.__hash__  # there is one object for each; Enum's own is written in Python


@dataclass(slots=True)
class Wave:
    """Changes, by their place in the batch, that may be done together: no two concern one task or one key."""

    members: dict[Kind, list[int]] = field(default_factory=dict[Kind, list[int]])


_KINDS: Final[dict[type, Kind]] = {
    Start: Kind.START,
    Report: Kind.REPORT,
    Settle: Kind.CONSUME,
    Reschedule: Kind.CONSUME,
    Release: Kind.CONSUME,
    Bury: Kind.CONSUME,
}


def kind_of(change: Change) -> Kind:
    """The set-based statements that can do this change; `ALONE` for one that needs a transaction of its own."""
    if change.fence is None and _publishes(change):
        return Kind.PUBLISH
    if len(change.writes) != 1:
        return Kind.FOLLOW if change.fence is not None and _ends_and_publishes(change.writes) else Kind.ALONE
    write = change.writes[0]
    if isinstance(write, Publish):
        return Kind.UNIQUE if change.fence is None else Kind.ALONE
    return _KINDS.get(type(write), Kind.ALONE) if change.fence is not None else Kind.ALONE


def _publishes(change: Change) -> bool:
    return all(isinstance(write, Publish) and write.unique is None for write in change.writes)


def _ends_and_publishes(writes: Sequence[Write]) -> bool:
    """Whether a lease ends first, and all that follows are messages without unique keys."""
    end, *rest = writes
    return _KINDS.get(type(end)) is Kind.CONSUME and all(
        isinstance(write, Publish) and write.unique is None for write in rest
    )


def waves(changes: Sequence[tuple[int, Change]]) -> list[Wave]:
    """The waves, in the order in which they mean the same as the changes one by one.

    A change goes into the first wave after the last one that concerns its tasks. One that is done alone is a wave
    itself, and so are neighbours that take unique keys; nothing moves across them.
    """
    planned: list[Wave] = []
    latest: dict[str, int] = {}
    barrier = 0
    for place, change in changes:
        kind, names = kind_of(change), _names(change)
        if kind in (Kind.ALONE, Kind.UNIQUE):
            level = len(planned)
            if (
                kind is Kind.UNIQUE
                and _may_join(planned, barrier)
                and all(latest.get(n, -1) < level - 1 for n in names)
            ):
                level -= 1
            barrier = level + 1
        else:
            level = barrier
            for name in names:
                level = max(level, latest.get(name, -1) + 1)
        if level == len(planned):
            planned.append(Wave())
        for name in names:
            latest[name] = level
        planned[level].members.setdefault(kind, []).append(place)
    return planned


def _may_join(planned: Sequence[Wave], barrier: int) -> bool:
    """Whether the last wave is one of unique keys, with nothing begun after it."""
    return bool(planned) and barrier == len(planned) and Kind.UNIQUE in planned[-1].members


def _names(change: Change) -> Collection[str]:
    """What must not occur twice in a wave: tasks, and unique keys behind a mark that tells them from tasks."""
    names = [] if change.fence is None else [change.fence.task_id]
    for write in change.writes:
        if isinstance(write, Publish):
            names.append(write.envelope.id)
            if write.unique is not None:
                names.append(f"\0{write.unique.key}")
    return names
