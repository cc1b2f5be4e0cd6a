"""Whether a change can be applied, decided before its first write."""

from __future__ import annotations

from typing import Final

from stem.adapters.memory.batch import Batch
from stem.contracts.changes import Cancel, Change, Publish, RefusalCode, Refused, Replay
from stem.tasks.state import TaskEvent, allowed_from

__all__ = ["refusal_of"]

_REPLAYABLE: Final = allowed_from(TaskEvent.REPLAYED)


def refusal_of(batch: Batch, change: Change) -> Refused | None:
    """Why this well-formed change cannot be applied to what is stored; `None` when it can."""
    for write in change.writes:
        if isinstance(write, Cancel) and not _known(batch, change, write.task_id):
            return Refused(RefusalCode.UNKNOWN_ID)
        refused = _refusal_of_replay(batch, write) if isinstance(write, Replay) else None
        if refused is not None:
            return refused
    return None


def _refusal_of_replay(batch: Batch, write: Replay) -> Refused | None:
    message = batch.tables.tasks.get(write.task_id)
    if message is None:
        return Refused(RefusalCode.UNKNOWN_ID)
    if write.generation is not None and write.generation < message.generation:
        return None
    if message.state not in _REPLAYABLE:
        return Refused(RefusalCode.INVALID_TRANSITION, f"the task is {message.state.value}")
    holder = None if message.unique is None else batch.tables.key_holder(message.unique.key, batch.now)
    if holder is not None and holder != write.task_id:
        return Refused(RefusalCode.DUPLICATE, f"duplicate of {holder}")
    return None


def _known(batch: Batch, change: Change, task_id: str) -> bool:
    if task_id in batch.tables.tasks:
        return True
    return any(isinstance(write, Publish) and write.envelope.id == task_id for write in change.writes)
