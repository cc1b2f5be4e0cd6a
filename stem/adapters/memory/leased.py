"""The writes that need a lease. Who calls them has checked the fence."""

from __future__ import annotations

from typing import Final

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.ending import end_task
from stem.adapters.memory.rows import Message
from stem.adapters.memory.turnstile import end_holder
from stem.contracts.changes import CONSUMING, Bury, Park, Release, Report, Reschedule, Settle, Start, Write
from stem.tasks.state import TaskEvent, advance

__all__ = ["write_leased"]

_MOST_REFUSALS: Final = 16


def write_leased(batch: Batch, message: Message, write: Write, *, number: int) -> None:
    """Apply one write under the standing lease of this message; `number` is its change's."""
    if isinstance(write, CONSUMING):
        lease = message.lease
        assert lease is not None
        message.consumed = (message.fence, lease.nonce, number)
        batch.tables.let_go(message)
        if lease.holding is not None:
            end_holder(batch, lease.holding)
    match write:
        case Settle():
            message.error = write.error
            message.result = write.result if message.is_read else None
            end_task(batch, message, write.event)
        case Start():
            _start(batch, message, write)
        case Bury():
            message.error, message.bury_reason = write.error, write.reason
            end_task(batch, message, TaskEvent.BURIED)
        case Report():
            _report(batch, message, write)
        case Reschedule() | Release() | Park():
            _give_back(batch, message, write)
        case _:
            raise AssertionError(write)


def _start(batch: Batch, message: Message, write: Start) -> None:
    lease = message.lease
    if lease is None:
        return
    message.started_at = batch.now
    lease.started, lease.backoff, lease.ack = True, write.backoff, write.ack


def _report(batch: Batch, message: Message, write: Report) -> None:
    if message.reported is None or write.progress.sequence > message.reported:
        message.progress, message.reported = write.progress, write.progress.sequence
        batch.tasks.append(message.id)


def _give_back(batch: Batch, message: Message, write: Reschedule | Release | Park) -> None:
    due = batch.now
    match write:
        case Reschedule():
            batch.tables.move(message, advance(message.state, TaskEvent.RETRIED))
            message.attempt += 1
            message.error = write.error
            due = batch.now + write.delay
        case Release():
            batch.tables.move(message, advance(message.state, TaskEvent.RELEASED))
            due = batch.now + write.delay if write.delay > 0 else message.published_at
        case Park():
            batch.tables.move(message, advance(message.state, TaskEvent.PARKED))
            _refuse(batch, message, write)
    batch.tables.wait(message, due, batch.now)
    batch.queues.add(message.queue)


def _refuse(batch: Batch, message: Message, write: Park) -> None:
    message.parks += 1
    message.parked_reason = write.reason
    message.started_at = None
    refused = message.refused_by or {}
    refused.pop(write.fingerprint, None)
    refused[write.fingerprint] = batch.now + write.pause
    while len(refused) > _MOST_REFUSALS:
        del refused[next(iter(refused))]
    message.refused_by = refused
