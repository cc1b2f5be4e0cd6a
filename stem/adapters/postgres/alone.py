"""Changes that are done one by one, each in its transaction: parking, cancels, replays, and those of several writes."""

from __future__ import annotations

import asyncpg

from stem.adapters.postgres.rows import dump_failure
from stem.adapters.postgres.unique import take_key
from stem.adapters.postgres.write import Fenced, Writing
from stem.clock import Micros
from stem.contracts.changes import (
    APPLIED,
    CONSUMING,
    FENCED,
    Cancel,
    Change,
    Fence,
    Park,
    Publish,
    RefusalCode,
    Refused,
    Replay,
    Start,
    UniqueKey,
    Verdict,
    Write,
)
from stem.contracts.retention import keep_for
from stem.errors import DuplicateTask
from stem.tasks.state import TaskEvent, TaskState, advance, allowed_from
from stem.tasks.status import Failure

__all__ = ["TakenBack", "apply_alone"]

_REMEMBERED = 16
"""How many fingerprints a message remembers that could not run it."""
_LATEST: Micros = 1 << 60


class TakenBack(Exception):
    """Ends a transaction whose change is not applied. Carries the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


async def apply_alone(writing: Writing, change: Change) -> Verdict:
    """Apply one change in a transaction. Raises `TakenBack` when a write of it cannot be applied."""
    if change.fence is not None:
        verdict = await _check_fence(writing, change, change.fence)
        if verdict is not None:
            return verdict
    for write in change.writes:
        verdict = await _apply(writing, change, write)
        if verdict is not APPLIED:
            raise TakenBack(verdict)
    await writing.tell()
    return APPLIED


async def _check_fence(writing: Writing, change: Change, fence: Fence) -> Verdict | None:
    """The verdict of a change whose lease is not held; `None` when it is."""
    row = await _find(writing, fence.task_id)
    if row is None:
        return FENCED
    if (row["nonce"], row["fence"]) == (fence.nonce, fence.counter):
        return None
    used = (row["used_nonce"], row["used_fence"], row["used_number"]) == (fence.nonce, fence.counter, change.number)
    consumes = any(isinstance(write, CONSUMING) for write in change.writes)
    return APPLIED if used and consumes else FENCED


async def _apply(writing: Writing, change: Change, write: Write) -> Verdict:
    if isinstance(write, Publish):
        return await _publish(writing, write)
    if isinstance(write, Cancel):
        return await _cancel(writing, write)
    if isinstance(write, Replay):
        return await _replay(writing, write)
    assert change.fence is not None
    return await _apply_fenced(writing, Fenced(change.fence, change.number, write))


async def _apply_fenced(writing: Writing, member: Fenced) -> Verdict:
    """A write under a lease that is held, or was ended by this change itself, after which it changes nothing."""
    if isinstance(member.write, Park):
        return await _park(writing, member, member.write)
    if isinstance(member.write, CONSUMING):
        return (await writing.consume([member]))[0]
    if isinstance(member.write, Start):
        await writing.start([member])
    else:
        await writing.report([member])
    return APPLIED


async def _publish(writing: Writing, write: Publish) -> Verdict:
    unique, task = write.unique, write.envelope.id
    if unique is not None and await writing.fetch("known", ids=[task]):
        return APPLIED
    holder = None if unique is None else await take_key(writing, unique, task)
    await writing.publish([write])
    if holder is not None:
        await _end(writing, task, error=Failure(DuplicateTask.__name__, f"duplicate of {holder}"))
    return APPLIED


async def _park(writing: Writing, member: Fenced, write: Park) -> Verdict:
    await writing.consume([member])
    row = await _find(writing, member.fence.task_id)
    assert row is not None
    now: Micros = row["now"]
    refused = _refusals(dict(zip(row["refused_by"] or (), row["refused_until"] or (), strict=True)), write, now)
    pausing = {fingerprint: until for fingerprint, until in refused.items() if until > now}
    await writing.fetch(
        "park",
        task=member.fence.task_id,
        due=min(pausing.values(), default=now),
        parked_for=sorted(pausing) or None,
        parked_at=now,
        reason=write.reason,
        refused_by=list(refused),
        refused_until=list(refused.values()),
    )
    return APPLIED


def _refusals(before: dict[str, Micros], write: Park, now: Micros) -> dict[str, Micros]:
    """The registries that could not run it, the latest last, and until when each is passed over."""
    before.pop(write.fingerprint, None)
    after = [*before.items(), (write.fingerprint, now + min(write.pause, _LATEST))]
    return dict(after[-_REMEMBERED:])


async def _cancel(writing: Writing, write: Cancel) -> Verdict:
    row = await _find(writing, write.task_id)
    if row is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no task {write.task_id}")
    state = TaskState(row["state"])
    if state.is_terminal:
        return APPLIED
    if advance(state, TaskEvent.CANCEL_REQUESTED).is_terminal:
        await _end(writing, write.task_id, error=None)
    else:
        await writing.fetch("flag", task=write.task_id, terminate=write.terminate)
    return APPLIED


async def _end(writing: Writing, task: str, *, error: Failure | None) -> None:
    """End a task that waits: as a cancel ends it."""
    await writing.fetch(
        "end_waiting",
        task=task,
        state=advance(TaskState.QUEUED, TaskEvent.CANCEL_REQUESTED).value,
        error=None if error is None else dump_failure(error),
        kept=keep_for(0, dead=False),
    )
    writing.tasks.append(task)


async def _replay(writing: Writing, write: Replay) -> Verdict:
    row = await _find(writing, write.task_id)
    if row is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no task {write.task_id}")
    if write.generation is not None and write.generation < row["generation"]:
        return APPLIED
    before = TaskState(row["state"])
    if before not in allowed_from(TaskEvent.REPLAYED):
        return Refused(RefusalCode.INVALID_TRANSITION, f"the task is {before.value}")
    if row["unique_key"] is not None:
        holder = await take_key(writing, UniqueKey(row["unique_key"], row["unique_for"]), write.task_id)
        if holder is not None:
            return Refused(RefusalCode.DUPLICATE, f"duplicate of {holder}")
    state = advance(before, TaskEvent.REPLAYED)
    await writing.fetch("replay", task=write.task_id, state=state.value, at=row["now"])
    writing.queues.add(row["queue"])
    return APPLIED


async def _find(writing: Writing, task: str) -> asyncpg.Record | None:
    """The row of a task, locked until the end of the transaction."""
    rows = await writing.fetch("one", task=task)
    return rows[0] if rows else None
