"""Changes that are done one by one: unique keys, parking, cancels, replays, and those of several writes."""

from __future__ import annotations

import json
from typing import Any, cast

from stem.adapters.sqlite.rows import dump, dump_failure
from stem.adapters.sqlite.write import Fenced, Writing
from stem.clock import Micros
from stem.contracts.changes import (
    APPLIED,
    CONSUMING,
    FENCED,
    Cancel,
    Change,
    Duplicate,
    Fence,
    Park,
    Publish,
    RefusalCode,
    Refused,
    Replay,
    Report,
    Start,
    UniqueKey,
    Verdict,
    Write,
)
from stem.contracts.retention import keep_for
from stem.errors import InvalidTransition
from stem.tasks.state import LIVE, TaskEvent, TaskState, advance
from stem.tasks.status import Failure

__all__ = ["apply_alone"]

_REMEMBERED = 16
"""How many fingerprints a message remembers that could not run it."""


def apply_alone(writing: Writing, change: Change) -> Verdict:
    """Apply one change whole or not at all."""
    fence = change.fence
    if fence is not None:
        verdict = _check_fence(writing, change, fence)
        if verdict is not None:
            return verdict
    if len(change.writes) == 1:
        return _apply(writing, change, change.writes[0])
    return _apply_together(writing, change)


def _check_fence(writing: Writing, change: Change, fence: Fence) -> Verdict | None:
    """The verdict of a change whose lease is not held; `None` when it is."""
    row = _find(writing, fence.task_id)
    if row is None:
        return FENCED
    if (row["nonce"], row["fence"]) == (fence.nonce, fence.counter):
        return None
    used = (row["used_nonce"], row["used_fence"], row["used_number"]) == (fence.nonce, fence.counter, change.number)
    consumes = any(isinstance(write, CONSUMING) for write in change.writes)
    return APPLIED if used and consumes else FENCED


def _apply_together(writing: Writing, change: Change) -> Verdict:
    """Several writes under a savepoint; the first verdict that is not `Applied` takes all back."""
    told = set(writing.queues), list(writing.tasks)
    writing.connection.execute("SAVEPOINT change")
    for write in change.writes:
        verdict = _apply(writing, change, write)
        if verdict is not APPLIED:
            writing.connection.execute("ROLLBACK TO change")
            writing.queues, writing.tasks = told
            break
    else:
        verdict = APPLIED
    writing.connection.execute("RELEASE change")
    return verdict


def _apply(writing: Writing, change: Change, write: Write) -> Verdict:
    if isinstance(write, Publish):
        return _publish(writing, write, alone=len(change.writes) == 1)
    if isinstance(write, Cancel):
        return _cancel(writing, write)
    if isinstance(write, Replay):
        return _replay(writing, write)
    assert change.fence is not None
    member = Fenced(change.fence, change.number, write)
    if isinstance(write, Park):
        return _park(writing, member, write)
    if isinstance(write, Start):
        return writing.start([member])[0]
    return writing.report([member])[0] if isinstance(write, Report) else writing.consume([member])[0]


def _publish(writing: Writing, write: Publish, *, alone: bool) -> Verdict:
    unique = write.unique
    if unique is None:
        writing.publish([write])
        return APPLIED
    if _find(writing, write.envelope.id) is not None:
        return APPLIED
    holder = _holder(writing, unique.key, other_than=write.envelope.id)
    if holder is not None and alone:
        return Duplicate(holder)
    writing.publish([write])
    if holder is None:
        _hold(writing, unique, write.envelope.id)
    else:
        _end(writing, write.envelope.id, error=Failure("DuplicateTask", f"duplicate of {holder}"))
    return APPLIED


def _holder(writing: Writing, key: str, *, other_than: str) -> str | None:
    row = writing.execute("unique_holder", key=key, now=writing.now).fetchone()
    return None if row is None or row[0] == other_than else cast("str", row[0])


def _hold(writing: Writing, unique: UniqueKey, task: str) -> None:
    until = None if unique.lifetime is None else min(writing.now + unique.lifetime, 1 << 60)
    writing.execute("unique_hold", key=unique.key, holder=task, until=until)


def _park(writing: Writing, member: Fenced, write: Park) -> Verdict:
    writing.consume([member])
    row = _find(writing, member.fence.task_id)
    assert row is not None
    refused = _refusals(row["refused"], write, writing.now)
    pausing = {fingerprint: until for fingerprint, until in refused if until > writing.now}
    writing.execute(
        "park",
        task=member.fence.task_id,
        now=writing.now,
        due=min(pausing.values(), default=writing.now),
        parked_for=dump(sorted(pausing)) if pausing else None,
        reason=write.reason,
        refused=dump(refused),
    )
    return APPLIED


def _refusals(text: str | None, write: Park, now: Micros) -> list[tuple[str, Micros]]:
    """The registries that could not run it, the latest last, and until when each is passed over."""
    before = [] if text is None else [(f, until) for f, until in json.loads(text) if f != write.fingerprint]
    return [*before, (write.fingerprint, min(now + write.pause, 1 << 60))][-_REMEMBERED:]


def _cancel(writing: Writing, write: Cancel) -> Verdict:
    row = _find(writing, write.task_id)
    if row is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no task {write.task_id}")
    state = TaskState(row["state"])
    after = advance(state, TaskEvent.CANCEL_REQUESTED)
    if state.is_terminal:
        return APPLIED
    if after in LIVE:
        writing.execute("cancel_running", task=write.task_id, terminate=int(write.terminate))
    else:
        _end(writing, write.task_id, error=None)
    return APPLIED


def _end(writing: Writing, task: str, *, error: Failure | None) -> None:
    """End a task that waits: as a cancel ends it."""
    writing.execute(
        "end_waiting",
        task=task,
        state=advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED).value,
        error=None if error is None else dump_failure(error),
        now=writing.now,
        kept=keep_for(0, dead=False),
    )
    writing.tasks.append(task)


def _replay(writing: Writing, write: Replay) -> Verdict:
    row = _find(writing, write.task_id)
    if row is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no task {write.task_id}")
    if write.generation is not None and write.generation < row["generation"]:
        return APPLIED
    try:
        state = advance(TaskState(row["state"]), TaskEvent.REPLAYED)
    except InvalidTransition as error:
        return Refused(RefusalCode.INVALID_TRANSITION, str(error))
    if row["unique_key"] is not None:
        holder = _holder(writing, row["unique_key"], other_than=write.task_id)
        if holder is not None:
            return Refused(RefusalCode.DUPLICATE, holder)
        _hold(writing, UniqueKey(row["unique_key"], row["unique_for"]), write.task_id)
    expires = None if row["expires_at"] is None else writing.now + row["expires_at"] - row["accepted_at"]
    writing.execute("replay", task=write.task_id, state=state.value, now=writing.now, expires_at=expires)
    writing.queues.add(row["queue"])
    return APPLIED


_COLUMNS = (
    "state",
    "queue",
    "fence",
    "nonce",
    "used_fence",
    "used_nonce",
    "used_number",
    "refused",
    "unique_key",
    "unique_for",
    "accepted_at",
    "expires_at",
    "generation",
)


def _find(writing: Writing, task: str) -> dict[str, Any] | None:
    row = writing.execute("one", task=task).fetchone()
    return None if row is None else dict(zip(_COLUMNS, row, strict=True))
