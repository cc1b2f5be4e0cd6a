"""The writes that need no lease: publish, cancel, replay."""

from __future__ import annotations

from stem.adapters.memory.batch import Batch, end_task
from stem.adapters.memory.tables import Message
from stem.contracts.changes import APPLIED, Cancel, Duplicate, Publish, Replay, Verdict, Write
from stem.errors import DuplicateTask
from stem.tasks.state import TaskEvent, TaskState, advance
from stem.tasks.status import Failure

__all__ = ["write_free"]


def write_free(batch: Batch, write: Write, *, alone: bool) -> Verdict:
    """Apply one write; `alone` when its change has no other, which then may answer `Duplicate`."""
    match write:
        case Publish():
            return _publish(batch, write, alone=alone)
        case Cancel():
            return _cancel(batch, batch.tables.tasks[write.task_id], write)
        case Replay():
            return _replay(batch, batch.tables.tasks[write.task_id], write)
        case _:
            raise AssertionError(write)


def _publish(batch: Batch, write: Publish, *, alone: bool) -> Verdict:
    if write.envelope.id in batch.tables.tasks:
        return APPLIED
    holder = None if write.unique is None else batch.tables.key_holder(write.unique.key, batch.now)
    if holder is not None and alone:
        return Duplicate(holder)
    message = _message(batch, write)
    batch.tables.tasks[message.id] = message
    if holder is not None:
        _end_as_duplicate(batch, message, holder)
        return APPLIED
    batch.tables.take_key(message, batch.now)
    due = batch.now + write.delay if write.not_before is None else max(batch.now, write.not_before)
    batch.tables.wait(message, due, batch.now)
    batch.queues.add(message.queue)
    return APPLIED


def _end_as_duplicate(batch: Batch, message: Message, holder: str) -> None:
    message.error = Failure(DuplicateTask.__name__, f"duplicate of {holder}")
    end_task(batch, message, TaskEvent.CANCEL_REQUESTED)


def _message(batch: Batch, write: Publish) -> Message:
    envelope, now = write.envelope, batch.now
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
        sequence=batch.tables.next_number(),
        published_at=now,
        accepted_at=now,
        expires_at=None if envelope.expires is None else now + envelope.expires,
        state=TaskState.QUEUED,
    )


def _cancel(batch: Batch, message: Message, write: Cancel) -> Verdict:
    if message.state.is_terminal:
        return APPLIED
    if message.lease is not None:
        message.cancel_requested = True
        message.terminate_requested = message.terminate_requested or write.terminate
        return APPLIED
    batch.tables.leave_line(message)
    message.error = None
    end_task(batch, message, TaskEvent.CANCEL_REQUESTED)
    return APPLIED


def _replay(batch: Batch, message: Message, write: Replay) -> Verdict:
    if write.generation is not None and write.generation < message.generation:
        return APPLIED
    message.state = advance(message.state, TaskEvent.REPLAYED)
    message.generation += 1
    message.attempt = message.deliveries = message.crashes = message.lost = message.parks = 0
    message.refused_by = message.parked_reason = message.bury_reason = None
    message.error = message.result = message.progress = message.worker = None
    message.started_at = message.finished_at = message.result_until = message.keep_until = None
    message.cancel_requested = message.terminate_requested = False
    if message.expires_at is not None:
        message.expires_at += batch.now - message.accepted_at
    message.accepted_at = batch.now
    batch.tables.take_key(message, batch.now)
    batch.tables.wait(message, batch.now, batch.now)
    batch.queues.add(message.queue)
    return APPLIED
