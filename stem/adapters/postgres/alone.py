"""Changes that are done one by one, each in its transaction: those of several kinds of writes, and rare ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import asyncpg

from stem.adapters.postgres.links import has_links, is_free
from stem.adapters.postgres.schedules import find_past_firing, fire_schedule
from stem.adapters.postgres.unique import take_key
from stem.adapters.postgres.weave import end_linked, find_upstream, publish_linked
from stem.adapters.postgres.write import Fenced, TakenBack, Writing
from stem.clock import Micros
from stem.contracts.changes import (
    APPLIED,
    CONSUMING,
    FENCED,
    Cancel,
    Change,
    Discard,
    Duplicate,
    Fence,
    FireSchedule,
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
from stem.errors import DuplicateTask
from stem.tasks.links import After, Member
from stem.tasks.state import TaskEvent, TaskState, advance, allowed_from, outcome_state
from stem.tasks.status import Failure

__all__ = ["TakenBack", "apply_alone"]

_REMEMBERED = 16
"""How many fingerprints a message remembers that could not run it."""
_LATEST: Micros = 1 << 60


async def apply_alone(writing: Writing, change: Change) -> Verdict:
    """Apply one change in a transaction. Raises `TakenBack` when a write of it cannot be applied."""
    if change.fence is not None:
        verdict = await _check_fence(writing, change, change.fence)
        if verdict is not None:
            return verdict
    past = await find_past_firing(writing, change)
    if past is not None:
        return past
    for writes in _runs(change.writes):
        verdict = await _apply(writing, change, writes)
        if verdict is not APPLIED:
            raise TakenBack(verdict)
    await writing.free()
    await writing.tell()
    return APPLIED


def _runs(writes: Sequence[Write]) -> Iterator[tuple[Write, ...]]:
    """The writes in their order, those together that can be done together."""
    for free, run in groupby(writes, is_free):
        if free:
            yield tuple(run)
        else:
            yield from zip(run)


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


async def _apply(writing: Writing, change: Change, writes: tuple[Write, ...]) -> Verdict:
    write = writes[0]
    if is_free(write):
        return await _publish_all(writing, writes)
    if isinstance(write, (*CONSUMING, Start, Report)):
        return await _apply_fenced(writing, Fenced.of(change, write))
    return await _apply_rare(writing, write, alone=len(change.writes) == 1)


async def _apply_rare(writing: Writing, write: Write, *, alone: bool) -> Verdict:
    match write:
        case Publish():
            return await _publish_unique(writing, write, alone=alone)
        case Cancel():
            return await _cancel(writing, write)
        case Replay():
            return await _replay(writing, write)
        case Discard():
            return await _discard(writing, write)
        case FireSchedule():
            return await fire_schedule(writing, write)
        case _:
            raise AssertionError(write)


async def _apply_fenced(writing: Writing, member: Fenced) -> Verdict:
    """A write under a lease that is held, or was ended by this change itself, after which it changes nothing."""
    if isinstance(member.write, Park):
        return await _park(writing, member, member.write)
    if isinstance(member.write, CONSUMING):
        (verdict,) = await writing.consume([member], linked=True)
        await end_linked(writing, [member.fence.task_id])
        return verdict
    if isinstance(member.write, Start):
        await writing.start([member])
    else:
        await writing.report([member])
    return APPLIED


async def _publish_all(writing: Writing, writes: tuple[Write, ...]) -> Verdict:
    """Messages without unique keys, and groups."""
    if any(map(has_links, writes)):
        return (await publish_linked(writing, [Change(writes)]))[0]
    await writing.publish([write for write in writes if isinstance(write, Publish)])
    return APPLIED


async def _publish_unique(writing: Writing, write: Publish, *, alone: bool) -> Verdict:
    unique, task = write.unique, write.envelope.id
    if unique is None or await writing.fetch("known", ids=[task]):
        return APPLIED
    holder = await take_key(writing, unique, task)
    duplicates = {} if holder is None else {task: Failure(DuplicateTask.__name__, f"duplicate of {holder}")}
    (verdict,) = await publish_linked(writing, [Change((write,))], duplicates)
    return Duplicate(holder) if verdict is APPLIED and holder is not None and alone else verdict


async def _park(writing: Writing, member: Fenced, write: Park) -> Verdict:
    await writing.consume([member], linked=True)
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
    if not advance(state, TaskEvent.CANCEL_REQUESTED).is_terminal:
        await writing.fetch("flag", task=write.task_id, terminate=write.terminate)
    elif await writing.end_waiting({write.task_id: None}) and row["awaited"]:
        await end_linked(writing, [write.task_id])
    return APPLIED


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
    held = await _is_held(writing, row)
    if isinstance(held, Refused):
        return held
    delay, state = max(0, min(write.delay, _LATEST)), advance(before, TaskEvent.REPLAYED).value
    given = {"held": held, "delay": delay, "state": state, "was": before.value, "at": row["now"]}
    await writing.fetch("replay", task=write.task_id, **given)
    writing.queues.update(() if held else (row["queue"],))
    return APPLIED


async def _is_held(writing: Writing, row: asyncpg.Record) -> bool | Refused:
    """Whether a task that begins again has to wait for what it is tied to; why not, when it would wait in vain."""
    after = None if row["after_id"] is None else After(row["after_id"], row["after_kind"])
    member = None if row["group_id"] is None else Member(row["group_id"])
    if after is None and member is None:
        return False
    return await find_upstream(writing, after, member)


async def _discard(writing: Writing, write: Discard) -> Verdict:
    if await _find(writing, write.task_id) is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no task {write.task_id}")
    failed = outcome_state(TaskEvent.FAILED)
    least, times = writing.book.keeps[failed.value]
    given = {"generation": write.generation, "state": failed.value, "least": least, "times": times}
    await writing.fetch("discard", task=write.task_id, **given)
    return APPLIED


async def _find(writing: Writing, task: str) -> asyncpg.Record | None:
    """The row of a task, locked until the end of the transaction."""
    rows = await writing.fetch("one", task=task)
    return rows[0] if rows else None
