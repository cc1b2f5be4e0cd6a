"""Whether a change can be applied, decided before its first write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.links import upstream_of
from stem.contracts.changes import (
    Cancel,
    Change,
    Discard,
    OpenGroup,
    Publish,
    RefusalCode,
    Refused,
    Replay,
    SealGroup,
    Write,
)
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskEvent, allowed_from

__all__ = ["refusal_of"]

_REPLAYABLE: Final = allowed_from(TaskEvent.REPLAYED)
_UNKNOWN: Final = Refused(RefusalCode.UNKNOWN_ID)


def refusal_of(batch: Batch, change: Change) -> Refused | None:
    """Why this well-formed change cannot be applied to what is stored; `None` when it can."""
    rehearsal = _Rehearsal(batch)
    for write in change.writes:
        refused = rehearsal.refuse(write)
        if refused is not None:
            return refused
    return None


@dataclass(slots=True)
class _Rehearsal:
    """What the writes of one change, so far, will have made."""

    batch: Batch
    published: set[str] = field(default_factory=set[str])
    replayed: set[str] = field(default_factory=set[str])
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    """Of the groups that this change opens."""
    filled: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """The places that this change fills."""
    sealed: set[str] = field(default_factory=set[str])

    def refuse(self, write: Write) -> Refused | None:
        """Why this write cannot follow those before it."""
        match write:
            case Publish():
                return self._publish(write)
            case Cancel() | Discard():
                return None if self._knows_task(write.task_id) else _UNKNOWN
            case Replay():
                return self._replay(write)
            case OpenGroup():
                self.sizes.setdefault(write.group, write.size)
            case SealGroup():
                return self._seal(write.group)
            case _:
                pass
        return None

    def _publish(self, write: Publish) -> Refused | None:
        if self._knows_task(write.envelope.id):
            return None
        if write.after is not None and not self._knows(write.after):
            return Refused(RefusalCode.UNKNOWN_ID, f"no {write.after.kind} {write.after.id} to wait for")
        refused = None if write.member is None else self._member(write.member)
        if refused is None:
            self.published.add(write.envelope.id)
        return refused

    def _member(self, member: Member) -> Refused | None:
        if not self._knows(After(member.group, "group")):
            return Refused(RefusalCode.UNKNOWN_ID, f"no group {member.group} to be a member of")
        if not self._is_open(member.group):
            return Refused(RefusalCode.REJECTED, f"group {member.group} is sealed")
        if member.index is None:
            return None
        if member.index >= self._size(member.group):
            return Refused(RefusalCode.REJECTED, f"group {member.group} has no place {member.index}")
        if self._is_taken(member.group, member.index):
            return Refused(RefusalCode.REJECTED, f"place {member.index} of group {member.group} is taken")
        self.filled.setdefault(member.group, set()).add(member.index)
        return None

    def _seal(self, group: str) -> Refused | None:
        if not self._knows(After(group, "group")):
            return _UNKNOWN
        if not self._is_open(group):
            return None
        missing = self._size(group) - self._count_filled(group)
        if missing:
            return Refused(RefusalCode.REJECTED, f"{missing} places of group {group} are empty")
        self.sealed.add(group)
        return None

    def _replay(self, write: Replay) -> Refused | None:
        message = self.batch.tables.tasks.get(write.task_id)
        if message is None:
            return _UNKNOWN
        if write.generation is not None and write.generation < message.generation:
            return None
        if message.state not in _REPLAYABLE:
            return Refused(RefusalCode.INVALID_TRANSITION, f"the task is {message.state.value}")
        holder = None if message.unique is None else self.batch.tables.key_holder(message.unique.key, self.batch.now)
        if holder is not None and holder != write.task_id:
            return Refused(RefusalCode.DUPLICATE, f"duplicate of {holder}")
        self.replayed.add(write.task_id)
        return None if message.after is None else self._upstream(message.after)

    def _upstream(self, after: After) -> Refused | None:
        if after.id in self.replayed:
            return None
        if not self._knows(after):
            return Refused(RefusalCode.UNKNOWN_ID, f"no {after.kind} {after.id} to wait for")
        succeeded, state = upstream_of(self.batch, after)
        if succeeded is False:
            return Refused(RefusalCode.INVALID_TRANSITION, f"{after.kind} {after.id} is {state}")
        return None

    def _knows_task(self, task_id: str) -> bool:
        return task_id in self.batch.tables.tasks or task_id in self.published

    def _knows(self, after: After) -> bool:
        if after.kind == "task":
            return self._knows_task(after.id)
        return after.id in self.batch.tables.groups or after.id in self.sizes

    def _is_open(self, group: str) -> bool:
        known = self.batch.tables.groups.get(group)
        return group not in self.sealed and (known is None or known.state is GroupState.OPEN)

    def _size(self, group: str) -> int:
        known = self.batch.tables.groups.get(group)
        return self.sizes[group] if known is None else known.size

    def _is_taken(self, group: str, place: int) -> bool:
        known = self.batch.tables.groups.get(group)
        return place in self.filled.get(group, ()) or (known is not None and place in known.places)

    def _count_filled(self, group: str) -> int:
        known = self.batch.tables.groups.get(group)
        return len(self.filled.get(group, ())) + (0 if known is None else len(known.places))
