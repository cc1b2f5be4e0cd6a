"""Changes that are done one by one: parking, and those of several writes or of writes that look before they write."""

from __future__ import annotations

from stem.adapters.sqlite.asked import cancel, discard, replay
from stem.adapters.sqlite.ends import consume
from stem.adapters.sqlite.groups import open_group
from stem.adapters.sqlite.links import seal_group
from stem.adapters.sqlite.publish import publish
from stem.adapters.sqlite.rows import dump, load_refusals
from stem.adapters.sqlite.schedules import find_schedule, fire_schedule
from stem.adapters.sqlite.write import Fenced, Writing
from stem.clock import Micros
from stem.contracts.changes import (
    APPLIED,
    CONSUMING,
    FENCED,
    Cancel,
    Change,
    Discard,
    Fence,
    FireSchedule,
    OpenGroup,
    Park,
    Publish,
    Replay,
    Report,
    SealGroup,
    Start,
    Verdict,
    Write,
)
from stem.contracts.schedules import past_firing

__all__ = ["apply_alone"]

_REMEMBERED = 16
"""How many fingerprints a message remembers that could not run it."""


def apply_alone(writing: Writing, change: Change) -> Verdict:
    """Apply one change whole or not at all."""
    verdict = _past(writing, change)
    if verdict is not None:
        return verdict
    if len(change.writes) == 1:
        return _apply(writing, change, change.writes[0])
    return _apply_together(writing, change)


def _past(writing: Writing, change: Change) -> Verdict | None:
    """The verdict on a change that comes too late, or again; `None` for one that is still to be applied."""
    if change.fence is not None:
        return _check_fence(writing, change, change.fence)
    firing = next((write for write in change.writes if isinstance(write, FireSchedule)), None)
    return None if firing is None else past_firing(find_schedule(writing.connection, firing.schedule), firing)


def _check_fence(writing: Writing, change: Change, fence: Fence) -> Verdict | None:
    """The verdict of a change whose lease is not held; `None` when it is."""
    row = writing.find(fence.task_id)
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
    match write:
        case Publish():
            verdict = publish(writing, write, alone=len(change.writes) == 1)
        case Cancel():
            verdict = cancel(writing, write)
        case Replay():
            verdict = replay(writing, write)
        case Discard():
            verdict = discard(writing, write)
        case OpenGroup():
            verdict = open_group(writing, write)
        case SealGroup():
            verdict = seal_group(writing, write)
        case FireSchedule():
            fire_schedule(writing.connection, write)
            verdict = APPLIED
        case _:
            assert change.fence is not None
            verdict = _apply_fenced(writing, Fenced(change.fence, change.number, write))
    return verdict


def _apply_fenced(writing: Writing, member: Fenced) -> Verdict:
    match member.write:
        case Park():
            return _park(writing, member, member.write)
        case Start():
            return writing.start([member])[0]
        case Report():
            return writing.report([member])[0]
        case _:
            return consume(writing, [member])[0]


def _park(writing: Writing, member: Fenced, write: Park) -> Verdict:
    consume(writing, [member])
    row = writing.find(member.fence.task_id)
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
    before = [refusal for refusal in load_refusals(text) if refusal[0] != write.fingerprint]
    return [*before, (write.fingerprint, min(now + write.pause, 1 << 60))][-_REMEMBERED:]
