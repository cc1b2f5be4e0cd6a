"""One change: checked whole before its first write, so that it is applied whole or not at all."""

from __future__ import annotations

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.check import refusal_of
from stem.adapters.memory.free import FREE, write_free
from stem.adapters.memory.leased import write_leased
from stem.adapters.memory.rows import Message
from stem.contracts.changes import APPLIED, CONSUMING, FENCED, Change, FireSchedule, Publish, Verdict, Write
from stem.contracts.schedules import past_firing
from stem.contracts.wellformed import refuse

__all__ = ["apply_change"]


def apply_change(batch: Batch, change: Change) -> Verdict:
    """Apply one change, or say why not."""
    malformed = refuse(change, batch.max_value)
    if malformed is not None:
        return malformed
    message: Message | None = None
    if change.fence is not None:
        message = batch.tables.tasks.get(change.fence.task_id)
        if message is None or not _holds(message, change):
            return _past(message, change)
    stopped: Verdict | None = None
    if not all(map(_is_plain, change.writes)):
        stopped = _past_firing(batch, change) or refusal_of(batch, change)
    return _write(batch, change, message) if stopped is None else stopped


def _is_plain(write: Write) -> bool:
    """Whether nothing that is stored can forbid this write; the fence has been looked at."""
    if isinstance(write, Publish):
        return write.after is None and write.member is None
    return not isinstance(write, FREE)


def _write(batch: Batch, change: Change, message: Message | None) -> Verdict:
    alone = len(change.writes) == 1
    for write in change.writes:
        if message is not None and not isinstance(write, FREE):
            write_leased(batch, message, write, number=change.number)
        else:
            verdict = write_free(batch, write, alone=alone)
            if verdict is not APPLIED:
                return verdict
    return APPLIED


def _past_firing(batch: Batch, change: Change) -> Verdict | None:
    """The verdict on a change whose schedule cannot fire as it says; `None` when it can, or none is to."""
    fires = (write for write in change.writes if isinstance(write, FireSchedule))
    return next((past_firing(batch.tables.schedules.get(write.schedule), write) for write in fires), None)


def _holds(message: Message, change: Change) -> bool:
    fence, lease = change.fence, message.lease
    return lease is not None and fence is not None and (message.fence, lease.nonce) == (fence.counter, fence.nonce)


def _past(message: Message | None, change: Change) -> Verdict:
    """The verdict on a change whose lease does not stand: applied when it is the change that consumed it."""
    fence = change.fence
    if message is None or fence is None or not any(isinstance(write, CONSUMING) for write in change.writes):
        return FENCED
    return APPLIED if message.consumed == (fence.counter, fence.nonce, change.number) else FENCED
