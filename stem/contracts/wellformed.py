"""What can be said of a change without looking into any store: one rule for every engine."""

from __future__ import annotations

from typing import Final

from stem.contracts.changes import (
    CONSUMING,
    Bury,
    Cancel,
    Change,
    Discard,
    Fence,
    FireSchedule,
    OpenGroup,
    Park,
    Publish,
    RefusalCode,
    Refused,
    Release,
    Replay,
    Report,
    Reschedule,
    Settle,
    Start,
    Write,
)
from stem.errors import InvalidTransition
from stem.tasks.links import After
from stem.tasks.state import LIVE, TaskEvent, outcome_state

__all__ = ["event_of", "refuse"]

_FENCED: Final = (*CONSUMING, Start, Report)
_BELOW_ZERO: Final = "a negative place or size of a group"


def refuse(change: Change, largest: int) -> Refused | None:
    """Why a change cannot be taken whatever the store holds; `None` for one that is well formed.

    It has writes; it ends its lease once; it cancels, replays or discards a task once; it fires one schedule; what
    concerns a lease has a fence; a settle ends the task; a group has no negative size, a member no negative place, and
    nothing waits for itself or for its own group; no envelope and no result is larger than `largest` bytes.
    """
    if len(change.writes) == 1:
        return _refuse_write(change.writes[0], change.fence, largest)
    return _refuse_together(change) or next(
        (no for write in change.writes if (no := _refuse_write(write, change.fence, largest))), None
    )


def _refuse_together(change: Change) -> Refused | None:
    """What is wrong with none of the writes, but with all of them in one change."""
    if not change.writes:
        return Refused(RefusalCode.REJECTED, "a change without writes")
    if sum(isinstance(write, CONSUMING) for write in change.writes) > 1:
        return Refused(RefusalCode.REJECTED, "two writes that end one lease")
    asked = [write.task_id for write in change.writes if isinstance(write, Cancel | Replay | Discard)]
    if len(asked) != len(set(asked)):
        return Refused(RefusalCode.REJECTED, "a change cancels, replays or discards a task once")
    if sum(isinstance(write, FireSchedule) for write in change.writes) > 1:
        return Refused(RefusalCode.REJECTED, "a change fires one schedule")
    return None


def event_of(write: Settle | Reschedule | Release | Bury | Park) -> TaskEvent:
    """What a consuming write does to the task."""
    return write.event if isinstance(write, Settle) else _EVENTS[type(write)]


def _refuse_write(write: Write, fence: Fence | None, largest: int) -> Refused | None:
    if isinstance(write, Publish):
        return _refuse_publish(write, largest)
    if fence is None and isinstance(write, _FENCED):
        return Refused(RefusalCode.REJECTED, f"{type(write).__name__} without a fence")
    if isinstance(write, Settle):
        return _refuse_settle(write, largest)
    if isinstance(write, OpenGroup) and write.size < 0:
        return Refused(RefusalCode.REJECTED, _BELOW_ZERO)
    return None


def _refuse_publish(write: Publish, largest: int) -> Refused | None:
    if len(write.body) > largest:
        return _too_large(len(write.body), largest)
    if write.after is not None and _waits_for_itself(write, write.after):
        return Refused(RefusalCode.REJECTED, "a message that waits for itself, or for the group it is a member of")
    if write.member is not None and (write.member.index or 0) < 0:
        return Refused(RefusalCode.REJECTED, _BELOW_ZERO)
    return None


def _refuse_settle(write: Settle, largest: int) -> Refused | None:
    if write.result is not None and len(write.result) > largest:
        return _too_large(len(write.result), largest)
    if write.event not in _ENDS:
        return Refused(RefusalCode.INVALID_TRANSITION, f"a settle with the event '{write.event.value}'")
    return None


def _too_large(size: int, largest: int) -> Refused:
    return Refused(RefusalCode.TOO_LARGE, f"{size} bytes; at most {largest} are taken")


def _waits_for_itself(write: Publish, after: After) -> bool:
    if after.kind == "group":
        return write.member is not None and write.member.group == after.id
    return after.id == write.envelope.id


_EVENTS: Final[dict[type, TaskEvent]] = {
    Reschedule: TaskEvent.RETRIED,
    Release: TaskEvent.RELEASED,
    Bury: TaskEvent.BURIED,
    Park: TaskEvent.PARKED,
}


def _ends(event: TaskEvent) -> bool:
    try:
        return outcome_state(event) not in LIVE
    except InvalidTransition:
        return False


_ENDS: Final = frozenset(filter(_ends, TaskEvent))
"""What a settle may say."""
