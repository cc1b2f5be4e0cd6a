"""Messages that are held: what a publish or a replay finds of what they wait for, and what is noted of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from stem.adapters.sqlite.ends import draw_consequences, settle_waiting
from stem.adapters.sqlite.groups import close_if_decided, find_group
from stem.adapters.sqlite.rows import cut, dump
from stem.adapters.sqlite.write import Writing
from stem.contracts.changes import APPLIED, Publish, RefusalCode, Refused, SealGroup, Verdict
from stem.contracts.groups import GroupRecord
from stem.contracts.upstream import upstream_failed
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = ["Hold", "find_hold", "judge_links", "seal_group", "tie", "wait_again"]

_WANTED = 1
"""Of `watched`: somebody reads the result."""
_BELONGS = 2
"""Of `watched`: it belongs to a group, without a place."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a message waits for at this moment, and what there is to say if it waits in vain."""

    after: After | None
    member: Member | None
    waits_after: bool = False
    waits_seal: bool = False
    failure: Failure | None = None

    @property
    def holds(self) -> bool:
        """Whether the message may not be given to anybody yet."""
        return self.waits_after or self.waits_seal


def judge_links(writing: Writing, write: Publish) -> Hold | Refused:
    """What holds the message of this publish, or why it cannot be taken."""
    refused = _refusal(writing, write.member, write.envelope.id)
    return refused or _judge(writing, write.after, write.member)


def find_hold(writing: Writing, task: str) -> Hold | Refused:
    """What holds this task if it is replayed now, or why it cannot be."""
    row = writing.execute("groups/link", task=task).fetchone()
    if row is None:
        return Hold(None, None)
    kind, after_id, group, place = row
    after = None if kind is None else After(after_id, kind)
    hold = _judge(writing, after, None if group is None else Member(group, place))
    if isinstance(hold, Hold) and hold.failure is not None:
        return Refused(RefusalCode.INVALID_TRANSITION, f"{hold.failure.message}; replay that first")
    return hold


def _refusal(writing: Writing, member: Member | None, task: str) -> Refused | None:
    if member is None:
        return None
    group = find_group(writing.connection, member.group)
    if group is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no group {member.group}")
    found = _why_not(writing, group, member, task)
    return None if found is None else Refused(RefusalCode.REJECTED, found)


def _why_not(writing: Writing, group: GroupRecord, member: Member, task: str) -> str | None:
    if group.state is not GroupState.OPEN:
        return f"group {group.id} is sealed"
    if member.index is None:
        return None
    if member.index >= group.size:
        return f"place {member.index} of a group of {group.size}"
    row = writing.execute("groups/taken", id=group.id, place=member.index).fetchone()
    if row is None or row[0] == task:
        return None
    return f"place {member.index} of group {group.id} is taken by {row[0]}"


def _judge(writing: Writing, after: After | None, member: Member | None) -> Hold | Refused:
    group = None if member is None else find_group(writing.connection, member.group)
    waits_seal = group is not None and group.state is GroupState.OPEN
    if after is None:
        return Hold(after, member, waits_seal=waits_seal)
    state = _state_of(writing, after)
    if state is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no {after.kind} {after.id}")
    if state in (TaskState.SUCCEEDED, GroupState.MET):
        return Hold(after, member, waits_seal=waits_seal)
    if state is GroupState.UNMET or (isinstance(state, TaskState) and state.is_terminal):
        failure = upstream_failed(after, state.value)
        return Hold(after, member, waits_seal=waits_seal, failure=failure)
    return Hold(after, member, waits_after=True, waits_seal=waits_seal)


def _state_of(writing: Writing, after: After) -> TaskState | GroupState | None:
    if after.kind == "group":
        group = find_group(writing.connection, after.id)
        return None if group is None else group.state
    row = writing.execute("one", task=after.id).fetchone()
    return None if row is None else TaskState(row[0])


def tie(writing: Writing, write: Publish, hold: Hold) -> None:
    """Note of a message that was just published what it waits for and where it belongs."""
    task, after, member = write.envelope.id, hold.after, hold.member
    writing.execute(
        "groups/tie",
        task=task,
        after_kind=None if after is None else after.kind,
        after_id=None if after is None else after.id,
        grp=None if member is None else member.group,
        place=None if member is None else member.index,
        waits_after=int(hold.waits_after),
        waits_seal=int(hold.waits_seal),
        delay=cut(write.delay),
        not_before=None if write.not_before is None else cut(write.not_before),
        expires=None if write.envelope.expires is None else cut(write.envelope.expires),
    )
    if after is not None and after.kind == "task":
        writing.execute("groups/watch", task=after.id, how=_WANTED)
    if member is not None:
        writing.execute("groups/watch", task=task, how=_BELONGS if member.index is None else _WANTED)
    if member is not None and member.index is not None:
        writing.execute("groups/fill", id=member.group)


def wait_again(writing: Writing, task: str, hold: Hold, delay: int) -> None:
    """Note of a replayed task what it waits for once more."""
    if hold.after is not None or hold.member is not None:
        waits = {"waits_after": int(hold.waits_after), "waits_seal": int(hold.waits_seal)}
        writing.execute("groups/wait", task=task, **waits, delay=cut(delay))


def seal_group(writing: Writing, write: SealGroup) -> Verdict:
    """Let the members of a full group go, and close it where it has its answer already."""
    record = find_group(writing.connection, write.group)
    if record is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no group {write.group}")
    if record.state is not GroupState.OPEN:
        return APPLIED
    if record.filled != record.size:
        return Refused(RefusalCode.REJECTED, f"{record.filled} of {record.size} members are there")
    writing.execute("groups/seal", id=write.group, state=GroupState.SEALED.value, now=writing.now)
    writing.execute("groups/begin", id=write.group)
    writing.release(cast("list[str]", writing.ask("groups/beginning", id=write.group)))
    if close_if_decided(writing, record):
        waiting = writing.ask("groups/after_groups", ids=dump([write.group]))
        draw_consequences(writing, settle_waiting(writing, waiting))
    return APPLIED
