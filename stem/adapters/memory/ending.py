"""The end of a task, which every kind of write may bring, and all that follows from it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

from stem.adapters.memory.batch import Batch, put_in_line
from stem.adapters.memory.rows import Group, Message
from stem.contracts.upstream import group_closed, upstream_failed
from stem.tasks.links import After, GroupState, decide_group
from stem.tasks.state import TaskEvent, TaskState, advance

__all__ = ["end_continuations", "end_task", "is_pointless", "is_waiting_for_its_group", "quit_group", "settle_group"]


def end_task(batch: Batch, message: Message, event: TaskEvent) -> None:
    """Make a task terminal, join its group, and let what waits for it go on or end, in turn."""
    _end(batch, message, event)
    if message.awaited or message.member is not None:
        _follow(batch, deque([message]))


def settle_group(batch: Batch, group: Group) -> None:
    """Close a sealed group if it has its answer, and let what waits for it go on or end, in turn."""
    _follow(batch, deque(_decide(batch, group)))


def end_continuations(batch: Batch, after: After, state: str) -> None:
    """End what waits for this, which will not succeed any more, and what waits for that, in turn."""
    _follow(batch, deque(_go_on(batch, after, succeeded=False, state=state)))


def quit_group(batch: Batch, message: Message, group: str) -> None:
    """Cancel a waiting member of a group that has its answer."""
    message.error = group_closed(group)
    end_task(batch, message, TaskEvent.CANCEL_REQUESTED)


def is_pointless(batch: Batch, message: Message) -> bool:
    """Whether its group has its answer without it. What was replayed since runs all the same."""
    if message.member is None or message.generation:
        return False
    group = batch.tables.groups.get(message.member.group)
    return group is not None and group.state.is_closed


def is_waiting_for_its_group(batch: Batch, message: Message) -> bool:
    """Whether it is a member of a group that is not sealed."""
    group = None if message.member is None else batch.tables.groups.get(message.member.group)
    return group is not None and group.state is GroupState.OPEN


def _end(batch: Batch, message: Message, event: TaskEvent) -> None:
    tables, now = batch.tables, batch.now
    tables.leave_line(message)
    tables.move(message, advance(message.state, event))
    message.finished_at = now
    message.result_until = now + message.result_ttl if message.is_read else None
    keep = batch.retention.keep_for(message.state, message.result_ttl, dead=message.bury_reason is not None)
    message.keep_until = now + keep
    heapq.heappush(tables.ended, (message.keep_until, tables.next_number(), message))
    tables.release_key(message)
    if message.after is not None:
        tables.forget_waiter(message.after, message)
    batch.tasks.append(message.id)


def _follow(batch: Batch, ends: deque[Message]) -> None:
    """A list of work and no recursion: a chain may have any length."""
    while ends:
        message = ends.popleft()
        state = message.state
        ends.extend(_go_on(batch, After(message.id), succeeded=state is TaskState.SUCCEEDED, state=state.value))
        group = _join(batch, message)
        if group is not None:
            ends.extend(_decide(batch, group))


def _go_on(batch: Batch, after: After, *, succeeded: bool, state: str) -> Iterator[Message]:
    """Let what is held by this go, or end it; what has ended."""
    for message in list(batch.tables.waiters.get(after, {}).values()):
        if not message.held:
            continue
        if not succeeded:
            message.error = upstream_failed(after, state)
            _end(batch, message, TaskEvent.CANCEL_REQUESTED)
            yield message
        elif not is_waiting_for_its_group(batch, message):
            put_in_line(batch, message)


def _join(batch: Batch, message: Message) -> Group | None:
    """Count the end of a member, once, while its group is not closed; the group that has counted it."""
    if message.member is None or message.place is None or message.joined:
        return None
    message.joined = True
    group = batch.tables.groups.get(message.member.group)
    if group is None or group.state.is_closed:
        return None
    group.joined += 1
    group.succeeded += message.state is TaskState.SUCCEEDED
    return group


def _decide(batch: Batch, group: Group) -> Iterator[Message]:
    """Close a sealed group if it has its answer; the continuations that this ends."""
    if group.state is not GroupState.SEALED:
        return
    group.state = decide_group(group.policy, size=group.size, joined=group.joined, succeeded=group.succeeded)
    if group.state.is_closed:
        group.closed_at = batch.now
        batch.tables.closing[group.id] = group
        met = group.state is GroupState.MET
        yield from _go_on(batch, After(group.id, "group"), succeeded=met, state=group.state.value)
