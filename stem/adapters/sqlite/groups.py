"""Groups, their members, and the messages that are held until something else has ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from stem.adapters.sqlite.rows import cut, dump
from stem.adapters.sqlite.statements import execute
from stem.adapters.sqlite.write import Writing
from stem.contracts.changes import APPLIED, OpenGroup, Verdict
from stem.contracts.groups import GroupRecord
from stem.contracts.retention import KEEP_AT_LEAST
from stem.tasks.links import GroupState, decide_group
from stem.tasks.state import TaskState

__all__ = ["close_if_decided", "find_group", "join_groups", "list_members", "open_group"]


def open_group(writing: Writing, write: OpenGroup) -> Verdict:
    """Make the group known, if it is not."""
    writing.execute(
        "groups/open",
        id=write.group,
        size=write.size,
        policy=write.policy,
        state=GroupState.OPEN.value,
        root=write.root,
        now=writing.now,
        result_ttl=cut(write.result_ttl),
    )
    return APPLIED


def find_group(connection: sqlite3.Connection, group: str) -> GroupRecord | None:
    """How the group stands."""
    row = execute(connection, "groups/one", id=group).fetchone()
    if row is None:
        return None
    size, policy, state, root, filled, joined, succeeded, opened_at, closed_at = row
    return GroupRecord(
        id=group,
        size=size,
        policy=policy,
        state=GroupState(state),
        root=root,
        filled=filled,
        joined=joined,
        succeeded=succeeded,
        opened_at=opened_at,
        closed_at=closed_at,
    )


def list_members(connection: sqlite3.Connection, group: str, limit: int, after: int) -> tuple[tuple[int, str], ...]:
    """Places and tasks of a group, by place."""
    return tuple(execute(connection, "groups/members", id=group, limit=limit, after=after).fetchall())


@dataclass(frozen=True, slots=True)
class _Join:
    """A member that has ended."""

    task: str
    group: str
    place: int | None
    state: str


def join_groups(writing: Writing, ended: Sequence[str]) -> list[str]:
    """Let tasks that have ended join their groups, one after the other; the groups that closed by it."""
    joins = [_Join(*cast("Any", row)) for row in writing.ask("groups/joining", ids=dump(list(ended)))]
    if not joins:
        return []
    writing.execute("groups/joined", ids=dump([join.task for join in joins]))
    groups = dict.fromkeys(join.group for join in joins if join.place is not None)
    return [group for group in groups if _join(writing, group, [join for join in joins if join.group == group])]


def _join(writing: Writing, group: str, joins: Sequence[_Join]) -> bool:
    record = find_group(writing.connection, group)
    if record is None or record.state.is_closed:
        return False
    for join in joins:
        if join.place is None or record.state.is_closed:
            continue
        succeeded = record.succeeded + (join.state == TaskState.SUCCEEDED.value)
        record = _decided(replace(record, joined=record.joined + 1, succeeded=succeeded))
    return _write(writing, record)


def close_if_decided(writing: Writing, record: GroupRecord) -> bool:
    """Close a group that has just been sealed, if it has its answer; whether it has."""
    return _write(writing, _decided(replace(record, state=GroupState.SEALED)))


def _decided(record: GroupRecord) -> GroupRecord:
    if record.state is not GroupState.SEALED:
        return record
    state = decide_group(record.policy, size=record.size, joined=record.joined, succeeded=record.succeeded)
    return replace(record, state=state)


def _write(writing: Writing, record: GroupRecord) -> bool:
    closed = record.state.is_closed
    writing.execute(
        "groups/count",
        id=record.id,
        state=record.state.value,
        joined=record.joined,
        succeeded=record.succeeded,
        closed_at=writing.now if closed else None,
        least=KEEP_AT_LEAST,
    )
    return closed
