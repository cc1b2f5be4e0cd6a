"""Deleting what has been kept long enough, and ending what nobody needs any more; a bounded number of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import cast

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.ends import draw_consequences, end_pointless, settle_waiting
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.write import Writing
from stem.contracts.retention import KEEP_OPEN_GROUP
from stem.contracts.store import Notice
from stem.contracts.upstream import REMOVED

__all__ = ["keep_house"]

_Ended = Sequence[tuple[int, str | None, str]]
"""Of each task its sequence, its unique key and its id."""
_FORGOTTEN = (
    "groups/forget",
    "broadcasts/forget",
    "control/forget",
    "locks/forget",
    "limits/forget",
)


def keep_house(connection: sqlite3.Connection, limit: int, terms: Terms) -> tuple[int, Notice]:
    """How many ended tasks were deleted, at most `limit`, and what there is to tell of the others' ends."""
    with transaction(connection):
        writing = terms.writing(connection)
        _remove_unsealed(writing, limit)
        _end_stragglers(writing, limit)
        ended = cast("_Ended", writing.ask("retain", now=writing.now, limit=limit))
        _delete(writing, ended)
        for name in _FORGOTTEN:
            writing.execute(name, now=writing.now, limit=limit)
        writing.execute("delete_old_uniques", now=writing.now)
    return len(ended), writing.notice()


def _delete(writing: Writing, tasks: _Ended) -> None:
    if not tasks:
        return
    seqs = dump([seq for seq, _, _ in tasks])
    writing.execute("delete_tasks", seqs=seqs)
    writing.execute("delete_envelopes", seqs=seqs)
    writing.execute("groups/untie", ids=dump([task for _, _, task in tasks]))
    keys = dump([[key, task] for _, key, task in tasks if key is not None])
    writing.execute("delete_uniques", keys=keys, now=writing.now)


def _remove_unsealed(writing: Writing, limit: int) -> None:
    """Remove the members of groups that nobody sealed in time, and each group after its last member."""
    before = writing.now - KEEP_OPEN_GROUP
    for group in cast("list[str]", writing.ask("groups/unsealed", before=before, limit=limit)):
        members = cast("_Ended", writing.ask("groups/remaining", id=group, limit=limit))
        waiting = writing.ask("groups/after_tasks", ids=dump([task for *_, task in members]))
        _delete(writing, members)
        limit -= len(members)
        if limit > 0:
            waiting += writing.ask("groups/after_groups", ids=dump([group]))
            writing.execute("groups/remove", id=group)
        draw_consequences(writing, settle_waiting(writing, [[*link[:3], REMOVED] for link in waiting]))
        if limit <= 0:
            return


def _end_stragglers(writing: Writing, limit: int) -> None:
    """Cancel live members of groups that have their answer; those that run are asked to stop."""
    for group in cast("list[str]", writing.ask("groups/trailing", limit=limit)):
        members = cast("Sequence[tuple[str, int, int]]", writing.ask("groups/straggling", id=group, limit=limit))
        end_pointless(writing, [task for task, is_leased, _ in members if not is_leased])
        for task, is_leased, is_asked in members:
            if is_leased and not is_asked:
                writing.execute("cancel_running", task=task, terminate=1)
        if not members:
            writing.execute("groups/complete", id=group)
        limit -= len(members)
        if limit <= 0:
            return
