"""The end of tasks, and what follows from it for those that wait for them: joins, continuations, and theirs in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from stem.adapters.sqlite.connection import transaction_under
from stem.adapters.sqlite.gates import end_holders, leave_side
from stem.adapters.sqlite.groups import join_groups
from stem.adapters.sqlite.rows import dump, dump_failure
from stem.adapters.sqlite.write import Fenced, Writing
from stem.contracts.changes import Verdict
from stem.contracts.upstream import group_closed, upstream_failed
from stem.tasks.links import After, GroupState
from stem.tasks.state import TaskEvent, TaskState, advance
from stem.tasks.status import Failure

__all__ = ["consume", "draw_consequences", "end_pointless", "end_waiting", "settle_waiting"]

_REACHED = (TaskState.SUCCEEDED.value, GroupState.MET.value)


def consume(writing: Writing, members: Sequence[Fenced]) -> list[Verdict]:
    """End leases. An end that concerns others is made in a transaction with all that follows from it."""
    rows, results = writing.consume_rows(members)
    if writing.consume(rows, results, watched=False) == len(members):
        return writing.all_consumed(members)
    with transaction_under(writing.connection):
        watched = cast("list[str]", writing.ask("watched", rows=rows))
        holdings = cast("list[int]", writing.ask("limits/ending", rows=rows))
        if watched or holdings:
            writing.consume(rows, results, watched=True)
            end_holders(writing, holdings)
        verdicts = writing.verdicts_on(members, rows)
        draw_consequences(writing, watched)
    return verdicts


def end_waiting(writing: Writing, task: str, *, error: Failure | None) -> None:
    """End a task that waits, as a cancel ends it, with all that follows."""
    if _end(writing, task, error):
        draw_consequences(writing, [task])


def end_pointless(writing: Writing, members: Sequence[str]) -> None:
    """Cancel members that wait although their groups have their answers."""
    groups = dict(cast("Sequence[tuple[str, str]]", writing.ask("groups/of", ids=dump(members))))
    for task in members:
        end_waiting(writing, task, error=group_closed(groups[task]))


def draw_consequences(writing: Writing, ended: Sequence[str]) -> None:
    """Let these tasks, which have ended, join their groups, and let go or cancel what waits for them, and so on."""
    while ended:
        closed = join_groups(writing, ended)
        waiting = [
            *writing.ask("groups/after_tasks", ids=dump(ended)),
            *writing.ask("groups/after_groups", ids=dump(closed)),
        ]
        ended = settle_waiting(writing, waiting)


def settle_waiting(writing: Writing, waiting: Sequence[Sequence[object]]) -> list[str]:
    """Let go of what waited for something that was reached, and cancel the rest; those whose end concerns others."""
    found = cast("Sequence[tuple[str, str, str, str]]", waiting)
    writing.execute("groups/satisfy", ids=dump([task for task, *_ in found]))
    writing.release([task for task, _, _, state in found if state in _REACHED])
    doomed = [(task, After(id_, "group" if kind == "group" else "task"), state) for task, kind, id_, state in found]
    return [
        task
        for task, after, state in doomed
        if state not in _REACHED and _end(writing, task, upstream_failed(after, state))
    ]


def _end(writing: Writing, task: str, error: Failure | None) -> bool:
    """End a task that waits; whether that concerns others."""
    state = advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED)
    times, least = writing.retention.terms(state, dead=False)
    rows = writing.execute(
        "end_waiting",
        task=task,
        state=state.value,
        error=None if error is None else dump_failure(error),
        now=writing.now,
        times=times,
        kept=least,
    ).fetchall()
    writing.tasks.append(task)
    for _, gate in rows:
        leave_side(writing, task, gate)
    return any(watched for watched, _ in rows)
