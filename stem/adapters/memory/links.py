"""Where a new or replayed message goes: it is held, waits in line, or ends; and the groups that hold it."""

from __future__ import annotations

from stem.adapters.memory.batch import Batch, put_in_line
from stem.adapters.memory.ending import end_task, is_waiting_for_its_group, settle_group
from stem.adapters.memory.rows import Group, Message
from stem.contracts.changes import OpenGroup, SealGroup
from stem.contracts.upstream import upstream_failed
from stem.tasks.links import After, GroupState
from stem.tasks.state import TaskEvent, TaskState

__all__ = ["admit", "enrol", "open_group", "seal_group", "upstream_of"]


def enrol(batch: Batch, message: Message) -> None:
    """Note a message that begins a generation with what it waits for, and a new member in its group."""
    after, member = message.after, message.member
    if after is not None:
        batch.tables.waiters.setdefault(after, {})[message.id] = message
        if after.kind == "task":
            batch.tables.tasks[after.id].awaited = True
    if member is not None and message.generation == 0:
        group = batch.tables.groups[member.group]
        group.members[message.id] = message
        if member.index is not None:
            group.places[member.index] = message.id


def admit(batch: Batch, message: Message) -> None:
    """Hold a message, let it wait in line, or end it, by where its upstream and its group are."""
    after = message.after
    succeeded, state = (True, "") if after is None else upstream_of(batch, after)
    if after is not None and succeeded is False:
        message.error = upstream_failed(after, state)
        end_task(batch, message, TaskEvent.CANCEL_REQUESTED)
    elif succeeded is None or is_waiting_for_its_group(batch, message):
        message.held = True
    else:
        put_in_line(batch, message)


def upstream_of(batch: Batch, after: After) -> tuple[bool | None, str]:
    """Whether what is waited for, which is known, has succeeded, `None` while it lives; and where it is."""
    if after.kind == "group":
        state = batch.tables.groups[after.id].state
        return (state is GroupState.MET if state.is_closed else None), state.value
    found = batch.tables.tasks[after.id].state
    return (found is TaskState.SUCCEEDED if found.is_terminal else None), found.value


def open_group(batch: Batch, write: OpenGroup) -> None:
    """See `OpenGroup`."""
    if write.group not in batch.tables.groups:
        batch.tables.groups[write.group] = Group(
            id=write.group,
            size=write.size,
            policy=write.policy,
            root=write.root,
            result_ttl=write.result_ttl,
            opened_at=batch.now,
        )


def seal_group(batch: Batch, write: SealGroup) -> None:
    """See `SealGroup`. Nothing is missing: that was checked."""
    group = batch.tables.groups[write.group]
    if group.state is not GroupState.OPEN:
        return
    group.state = GroupState.SEALED
    for message in group.members.values():
        if message.held and (message.after is None or upstream_of(batch, message.after)[0]):
            put_in_line(batch, message)
    settle_group(batch, group)
