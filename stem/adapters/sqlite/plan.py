"""How a batch is cut: waves in which no task occurs twice, so that each wave is a few set-based statements. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
)

__all__ = ["Kind", "Wave", "is_one_statement", "kind_of", "waves"]


class Kind(Enum):
    """Which statement does it."""

    PUBLISH = "publish"
    START = "start"
    REPORT = "report"
    CONSUME = "consume"
    ALONE = "alone"


@dataclass(slots=True)
class Wave:
    """Changes, by their place in the batch, that may be done together: no two concern one task."""

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
    """The set-based statement that can do this change; `ALONE` for one that needs several."""
    if len(change.writes) != 1:
        return Kind.ALONE
    write = change.writes[0]
    if isinstance(write, Publish):
        free = change.fence is None and write.unique is None and write.after is None and write.member is None
        return Kind.PUBLISH if free else Kind.ALONE
    return _KINDS.get(type(write), Kind.ALONE) if change.fence is not None else Kind.ALONE


def waves(changes: Sequence[tuple[int, Change]]) -> list[Wave]:
    """The waves, in the order in which they mean the same as the changes one by one.

    A change goes into the first wave after the last one that concerns its task; one that is done alone is a wave itself
    and nothing moves across it.
    """
    planned: list[Wave] = []
    latest: dict[str, int] = {}
    barrier = 0
    for place, change in changes:
        kind = kind_of(change)
        if kind is Kind.ALONE:
            planned.append(Wave({kind: [place]}))
            barrier = len(planned)
            continue
        task = _task_of(change)
        level = max(barrier, latest.get(task, -1) + 1)
        if level == len(planned):
            planned.append(Wave())
        latest[task] = level
        planned[level].members.setdefault(kind, []).append(place)
    return planned


def is_one_statement(planned: Sequence[Wave], changes: Mapping[int, Change]) -> bool:
    """Whether one statement does it all, so that it needs no transaction around it.

    Only publishes, and ends that are final: what a verdict has to be read for after the commit no longer moves then.
    """
    if len(planned) != 1 or len(planned[0].members) != 1:
        return False
    ((kind, places),) = planned[0].members.items()
    if kind is Kind.CONSUME:
        return all(isinstance(changes[place].writes[0], Settle | Bury) for place in places)
    return kind is Kind.PUBLISH


def _task_of(change: Change) -> str:
    if change.fence is not None:
        return change.fence.task_id
    (write,) = change.writes
    assert isinstance(write, Publish)
    return write.envelope.id
