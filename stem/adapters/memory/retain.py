"""Forgetting what has had its time, a bounded number of each at once."""

from __future__ import annotations

import heapq
from itertools import islice

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.ending import end_continuations, is_pointless, quit_group
from stem.adapters.memory.rows import Group, Message
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.retention import KEEP_AT_LEAST, KEEP_OPEN_GROUP
from stem.contracts.upstream import REMOVED
from stem.tasks.links import After, GroupState

__all__ = ["delete_ended", "is_pinned"]


def delete_ended(batch: Batch, limit: int) -> int:
    """See `Store.retain`."""
    _remove_unsealed(batch, limit)
    _cancel_pointless(batch, limit)
    deleted = _delete_tasks(batch.tables, limit, batch.now)
    _delete_groups(batch.tables, limit, batch.now)
    _forget(batch.tables, limit, batch.now)
    return deleted


def _delete_tasks(tables: Tables, limit: int, now: Micros) -> int:
    ready = list(islice((message for message in tables.pinned.values() if not is_pinned(tables, message)), limit))
    for message in ready:
        del tables.pinned[message.id]
        tables.remove(message)
    deleted, ended = len(ready), tables.ended
    while deleted < limit and ended and ended[0][0] <= now:
        keep_until, _, message = heapq.heappop(ended)
        if message.keep_until != keep_until or tables.tasks.get(message.id) is not message:
            continue
        if is_pinned(tables, message):
            tables.pinned[message.id] = message
        else:
            tables.remove(message)
            deleted += 1
    return deleted


def is_pinned(tables: Tables, message: Message) -> bool:
    """Whether a live message waits for its result, or its group has not come to its end."""
    if After(message.id) in tables.waiters:
        return True
    group = None if message.member is None else tables.groups.get(message.member.group)
    if group is None or message.place is None:
        return False
    return not group.state.is_closed or After(group.id, "group") in tables.waiters


def _remove_unsealed(batch: Batch, limit: int) -> None:
    tables, oldest = batch.tables, batch.now - KEEP_OPEN_GROUP
    unsealed = [g for g in tables.groups.values() if g.state is GroupState.OPEN and g.opened_at <= oldest]
    for group in unsealed[:limit]:
        end_continuations(batch, After(group.id, "group"), REMOVED)
        _remove_members(batch, group, limit)
        if not group.members:
            del tables.groups[group.id]


def _remove_members(batch: Batch, group: Group, limit: int) -> None:
    for message in list(islice(group.members.values(), limit)):
        end_continuations(batch, After(message.id), REMOVED)
        del group.members[message.id]
        if message.place is not None:
            del group.places[message.place]
        if message.id in batch.tables.tasks:
            _remove_member(batch, message)


def _remove_member(batch: Batch, message: Message) -> None:
    tables = batch.tables
    tables.leave_line(message)
    tables.release_key(message)
    if message.after is not None:
        tables.forget_waiter(message.after, message)
    tables.pinned.pop(message.id, None)
    tables.remove(message)


def _cancel_pointless(batch: Batch, limit: int) -> None:
    """End the live members of groups that have their answer; ask those that run to end."""
    left = limit
    for group in list(batch.tables.closing.values()):
        live = [m for m in group.members.values() if is_pointless(batch, m) and not m.state.is_terminal]
        if not live:
            del batch.tables.closing[group.id]
        for message in [m for m in live if not m.terminate_requested][:left]:
            _cancel(batch, message, group.id)
            left -= 1


def _cancel(batch: Batch, message: Message, group: str) -> None:
    if message.lease is None:
        quit_group(batch, message, group)
    else:
        message.cancel_requested = message.terminate_requested = True


def _delete_groups(tables: Tables, limit: int, now: Micros) -> None:
    over = (group for group in tables.groups.values() if _is_over(tables, group, now))
    for group in list(islice(over, limit)):
        del tables.groups[group.id]


def _is_over(tables: Tables, group: Group, now: Micros) -> bool:
    if group.closed_at is None or group.id in tables.closing or After(group.id, "group") in tables.waiters:
        return False
    return group.closed_at + max(2 * group.result_ttl, KEEP_AT_LEAST) <= now


def _forget(tables: Tables, limit: int, now: Micros) -> None:
    _forget_keys(tables, now)
    for message_id in list(islice((key for key, (_, until) in tables.broadcasts.items() if until <= now), limit)):
        del tables.broadcasts[message_id]
    for bucket in list(islice((key for key, ahead in tables.ahead.items() if ahead <= now), limit)):
        del tables.ahead[bucket]
    over = (r.task_id for r in tables.revocations.values() if r.expires_at is not None and r.expires_at <= now)
    for task_id in list(islice(over, limit)):
        del tables.revocations[task_id]


def _forget_keys(tables: Tables, now: Micros) -> None:
    while tables.key_ends and tables.key_ends[0][0] <= now:
        until, key = heapq.heappop(tables.key_ends)
        holder = tables.keys.get(key)
        if holder is not None and holder.until == until:
            del tables.keys[key]
