"""The writes that need no lease: publish, cancel, replay, discard, and those of groups and schedules."""

from __future__ import annotations

import heapq

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.ending import end_task
from stem.adapters.memory.links import admit, enrol, open_group, seal_group
from stem.adapters.memory.rows import Message
from stem.adapters.memory.schedules import fire
from stem.contracts.changes import (
    APPLIED,
    Cancel,
    Discard,
    Duplicate,
    FireSchedule,
    OpenGroup,
    Publish,
    Replay,
    SealGroup,
    Verdict,
    Write,
)
from stem.errors import DuplicateTask
from stem.tasks.state import TaskEvent, TaskState, advance
from stem.tasks.status import Failure

__all__ = ["FREE", "write_free"]

FREE = (Publish, Cancel, Replay, Discard, OpenGroup, SealGroup, FireSchedule)


def write_free(batch: Batch, write: Write, *, alone: bool) -> Verdict:
    """Apply one write; `alone` when its change has no other, which then may answer `Duplicate`."""
    tasks = batch.tables.tasks
    match write:
        case Publish():
            return _publish(batch, write, alone=alone)
        case Cancel():
            _cancel(batch, tasks[write.task_id], write)
        case Replay():
            _replay(batch, tasks[write.task_id], write)
        case Discard():
            _discard(batch, tasks[write.task_id], write)
        case OpenGroup():
            open_group(batch, write)
        case SealGroup():
            seal_group(batch, write)
        case FireSchedule():
            fire(batch.tables, write)
        case _:
            raise AssertionError(write)
    return APPLIED


def _publish(batch: Batch, write: Publish, *, alone: bool) -> Verdict:
    if write.envelope.id in batch.tables.tasks:
        return APPLIED
    holder = None if write.unique is None else batch.tables.key_holder(write.unique.key, batch.now)
    if holder is not None and alone:
        return Duplicate(holder)
    message = _message(batch, write)
    batch.tables.add(message)
    enrol(batch, message)
    if holder is not None:
        message.error = Failure(DuplicateTask.__name__, f"duplicate of {holder}")
        end_task(batch, message, TaskEvent.CANCEL_REQUESTED)
    else:
        batch.tables.take_key(message, batch.now)
        admit(batch, message)
    return APPLIED


def _message(batch: Batch, write: Publish) -> Message:
    envelope, linked = write.envelope, write.after is not None or write.member is not None
    return Message(
        id=envelope.id,
        name=envelope.name,
        queue=envelope.queue,
        priority=envelope.priority,
        body=write.body,
        max_retries=envelope.max_retries,
        result_ttl=envelope.result_ttl,
        ignore_result=envelope.ignore_result,
        root=envelope.root or envelope.id,
        parent=envelope.parent,
        tags=envelope.tags,
        unique=write.unique,
        after=write.after,
        member=write.member,
        expires=envelope.expires,
        expires_at=None if envelope.expires is None or linked else batch.now + envelope.expires,
        sequence=batch.tables.next_number(),
        published_at=batch.now,
        state=TaskState.QUEUED,
        delay=write.delay,
        not_before=write.not_before,
        rate_key=write.rate_key,
        concurrency_key=write.concurrency_key,
    )


def _cancel(batch: Batch, message: Message, write: Cancel) -> None:
    if message.state.is_terminal:
        return
    if message.lease is not None:
        message.cancel_requested = True
        message.terminate_requested = message.terminate_requested or write.terminate
        return
    message.error = None
    end_task(batch, message, TaskEvent.CANCEL_REQUESTED)


def _replay(batch: Batch, message: Message, write: Replay) -> None:
    if write.generation is not None and write.generation < message.generation:
        return
    batch.tables.move(message, advance(message.state, TaskEvent.REPLAYED))
    message.generation += 1
    message.attempt = message.deliveries = message.crashes = message.lost = message.parks = 0
    message.refused_by = message.parked_reason = message.bury_reason = None
    message.error = message.result = message.progress = message.worker = None
    message.started_at = message.finished_at = message.result_until = message.keep_until = None
    message.cancel_requested = message.terminate_requested = False
    message.expires_at = None
    message.delay, message.not_before = write.delay, None
    batch.tables.pinned.pop(message.id, None)
    batch.tables.take_key(message, batch.now)
    enrol(batch, message)
    admit(batch, message)


def _discard(batch: Batch, message: Message, write: Discard) -> None:
    if message.bury_reason is None or (write.generation is not None and write.generation < message.generation):
        return
    message.bury_reason = None
    kept = batch.retention.keep_for(message.state, message.result_ttl, dead=False)
    message.keep_until = batch.now + kept
    heapq.heappush(batch.tables.ended, (message.keep_until, batch.tables.next_number(), message))
