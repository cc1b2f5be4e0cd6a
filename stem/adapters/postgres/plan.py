"""How a batch is cut: waves in which no task occurs twice, so that each wave is a few set-based statements. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from stem.adapters.postgres.links import has_links, is_free
from stem.contracts.changes import (
    Bury,
    Change,
    OpenGroup,
    Publish,
    Release,
    Report,
    Reschedule,
    SealGroup,
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
    LINKED = "linked"
    ENDED = "ended"
    """Ends that others wait for, and of holders. No plan has it: only the store knows which these are."""
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


_ENDING: Final = (Kind.CONSUME, Kind.FOLLOW)
_SIMPLE: Final = ({Kind.START, Kind.REPORT, Kind.CONSUME, Kind.FOLLOW}, {Kind.PUBLISH}, {Kind.LINKED})
_PUBLISHING: Final = (Kind.PUBLISH, Kind.LINKED, Kind.FOLLOW)


def kind_of(change: Change) -> Kind:
    """The set-based statements that can do this change; `ALONE` for one that needs a transaction of its own."""
    if change.fence is None:
        return _kind_of_free(change.writes)
    if len(change.writes) == 1:
        return _KINDS.get(type(change.writes[0]), Kind.ALONE)
    return Kind.FOLLOW if _ends_and_publishes(change.writes) else Kind.ALONE


def _kind_of_free(writes: Sequence[Write]) -> Kind:
    if all(map(is_free, writes)):
        return Kind.LINKED if any(map(has_links, writes)) else Kind.PUBLISH
    is_one = len(writes) == 1 and isinstance(writes[0], Publish)
    return Kind.UNIQUE if is_one and not has_links(writes[0]) else Kind.ALONE


def _ends_and_publishes(writes: Sequence[Write]) -> bool:
    """Whether a lease ends first, and all that follows are messages without unique keys and links."""
    end, *rest = writes
    return _KINDS.get(type(end)) is Kind.CONSUME and all(
        isinstance(write, Publish) and write.unique is None and not has_links(write) for write in rest
    )


def waves(changes: Sequence[tuple[int, Change]]) -> list[Wave]:
    """The waves, in the order in which they mean the same as the changes one by one.

    A change goes into the first wave after the last one that concerns its tasks. One that is done alone is a wave
    itself, and so are neighbours that take unique keys; nothing moves across them. Messages with links and the groups
    that they are about may share a wave. Ends keep their order, as two of them may be members of one group, and
    messages theirs, as they are given out in it.
    """
    if not changes:
        return []
    kinds = [kind_of(change) for _, change in changes]
    names = [_names(change) for _, change in changes]
    plan = _Plan()
    if _is_simple(set(kinds), names):
        plan.waves.append(Wave())
        for (place, _), kind in zip(changes, kinds, strict=True):
            plan.waves[0].members.setdefault(kind, []).append(place)
        return plan.waves
    plain = Kind.LINKED if Kind.LINKED in kinds else Kind.PUBLISH
    for (place, _), kind, concerned in zip(changes, kinds, names, strict=True):
        plan.add(place, plain if kind is Kind.PUBLISH else kind, concerned)
    return plan.waves


def _is_simple(kinds: set[Kind], names: Sequence[Collection[str]]) -> bool:
    """Whether one wave will do, as nearly always: nothing occurs twice, and no kind has to wait for another one."""
    all_names = [name for concerned in names for name in concerned]
    return len(set(all_names)) == len(all_names) and any(kinds <= simple for simple in _SIMPLE)


@dataclass(slots=True)
class _Plan:
    """The waves so far, and in which of them what happened last."""

    waves: list[Wave] = field(default_factory=list[Wave])
    latest: dict[str, int] = field(default_factory=dict[str, int])
    """By name, any change."""
    linked: dict[str, int] = field(default_factory=dict[str, int])
    """By name, a message with links or a group."""
    barrier: int = 0
    ended: int = 0
    published: tuple[int, Kind | None] = (0, None)

    def add(self, place: int, kind: Kind, names: Collection[str]) -> None:
        """Put a change into its wave."""
        level = self._alone(kind, names) if kind in (Kind.ALONE, Kind.UNIQUE) else self._among_others(kind, names)
        if level == len(self.waves):
            self.waves.append(Wave())
        for name in names:
            self.latest[name] = level
        if kind is Kind.LINKED:
            self.linked.update(dict.fromkeys(names, level))
        self.waves[level].members.setdefault(kind, []).append(place)

    def _alone(self, kind: Kind, names: Collection[str]) -> int:
        """A wave of its own, or the last one, where that is of unique keys and nothing has begun after it."""
        level = len(self.waves)
        joins = kind is Kind.UNIQUE and level and self.barrier == level and Kind.UNIQUE in self.waves[-1].members
        if joins and all(self.latest.get(name, -1) < level - 1 for name in names):
            level -= 1
        self.barrier = level + 1
        return level

    def _among_others(self, kind: Kind, names: Collection[str]) -> int:
        level = self.barrier
        for name in names:
            last = self.latest.get(name, -1)
            level = max(level, last if kind is Kind.LINKED and self.linked.get(name) == last else last + 1)
        if kind in _PUBLISHING:
            last, before = self.published
            level = max(level, last + (before not in (None, kind)))
        if kind in _ENDING:
            self.ended = level = max(level, self.ended)
        if kind in _PUBLISHING:
            self.published = (level, kind)
        return level


def _names(change: Change) -> Collection[str]:
    """What must not occur twice in a wave: tasks, groups, and unique keys behind a mark that tells them from these."""
    names = [] if change.fence is None else [change.fence.task_id]
    if names and len(change.writes) == 1 and type(change.writes[0]) in _KINDS:
        return names
    for write in change.writes:
        if isinstance(write, Publish):
            names.append(write.envelope.id)
            if write.unique is not None:
                names.append(f"\0{write.unique.key}")
            if write.after is not None:
                names.append(write.after.id)
            if write.member is not None:
                names.append(write.member.group)
        elif isinstance(write, OpenGroup | SealGroup):
            names.append(write.group)
    return names
