"""What is asked for without a lease, of a task that is there: its end, its return, the end of its dead letter."""

from __future__ import annotations

from typing import Final

from stem.adapters.sqlite.ends import end_waiting
from stem.adapters.sqlite.links import Hold, find_hold, wait_again
from stem.adapters.sqlite.publish import holder_of, take_key
from stem.adapters.sqlite.rows import cut
from stem.adapters.sqlite.write import Found, Writing
from stem.contracts.changes import APPLIED, Cancel, Discard, RefusalCode, Refused, Replay, UniqueKey, Verdict
from stem.tasks.state import LIVE, TaskEvent, TaskState, advance, allowed_from

__all__ = ["cancel", "discard", "replay"]

_REPLAYABLE: Final = allowed_from(TaskEvent.REPLAYED)


def cancel(writing: Writing, write: Cancel) -> Verdict:
    """End what waits, flag what runs."""
    row = writing.find(write.task_id)
    if row is None:
        return _unknown(write.task_id)
    state = TaskState(row["state"])
    after = advance(state, TaskEvent.CANCEL_REQUESTED)
    if state.is_terminal:
        return APPLIED
    if after in LIVE:
        writing.execute("cancel_running", task=write.task_id, terminate=int(write.terminate))
    else:
        end_waiting(writing, write.task_id, error=None)
    return APPLIED


def discard(writing: Writing, write: Discard) -> Verdict:
    """Take a task out of the dead letters."""
    if writing.find(write.task_id) is None:
        return _unknown(write.task_id)
    times, least = writing.retention.terms(TaskState.FAILED, dead=False)
    writing.execute(
        "discard", task=write.task_id, generation=write.generation, now=writing.now, times=times, kept=least
    )
    return APPLIED


def replay(writing: Writing, write: Replay) -> Verdict:
    """Queue an ended task again, or hold it again."""
    row = writing.find(write.task_id)
    if row is None:
        return _unknown(write.task_id)
    if write.generation is not None and write.generation < row["generation"]:
        return APPLIED
    if TaskState(row["state"]) not in _REPLAYABLE:
        return Refused(RefusalCode.INVALID_TRANSITION, f"the task is {row['state']}")
    hold = find_hold(writing, write.task_id)
    if isinstance(hold, Refused):
        return hold
    return _take_key_again(writing, write.task_id, row) or _queue_again(writing, write, row, hold)


def _queue_again(writing: Writing, write: Replay, row: Found, hold: Hold) -> Verdict:
    state = advance(TaskState(row["state"]), TaskEvent.REPLAYED)
    due = None if hold.holds else cut(writing.now + write.delay)
    writing.execute("replay", task=write.task_id, state=state.value, now=writing.now, due=due)
    wait_again(writing, write.task_id, hold, write.delay)
    writing.queues.add(row["queue"])
    return APPLIED


def _take_key_again(writing: Writing, task: str, row: Found) -> Refused | None:
    key = row["unique_key"]
    if key is None:
        return None
    holder = holder_of(writing, key, other_than=task)
    if holder is not None:
        return Refused(RefusalCode.DUPLICATE, holder)
    take_key(writing, UniqueKey(key, row["unique_for"]), task)
    return None


def _unknown(task: str) -> Refused:
    return Refused(RefusalCode.UNKNOWN_ID, f"no task {task}")
