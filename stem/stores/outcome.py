"""Between a change and an outcome: what a split store records first, and what it then commits. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stem.contracts.changes import Bury, Change, Fence, Publish, Settle, Write
from stem.contracts.outcomes import Outcome
from stem.contracts.wellformed import event_of
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import TaskEvent, TaskState, outcome_state

__all__ = ["Held", "end_by", "ending_of", "outcome_of", "settled_by"]

_EVENTS = {
    outcome_state(event): event
    for event in (TaskEvent.SUCCEEDED, TaskEvent.CANCELLED, TaskEvent.EXPIRED, TaskEvent.FAILED)
}


def ending_of(change: Change) -> Settle | Bury | None:
    """The write of a change that ends a leased task; `None` in a change that ends none."""
    return next((write for write in change.writes if isinstance(write, Settle | Bury)), None)


@dataclass(frozen=True, slots=True)
class Held:
    """What has to be known of a leased task to tell its outcome."""

    fence: int
    generation: int
    envelope: bytes = field(repr=False)
    ignored: bool


def outcome_of(ending: Settle | Bury, fence: Fence, held: Held) -> Outcome:
    """What an ending makes of this task."""
    result = ending.result if isinstance(ending, Settle) and not held.ignored else None
    return Outcome(
        task_id=fence.task_id,
        generation=held.generation,
        state=outcome_state(event_of(ending)),
        result=result,
        error=ending.error,
        bury_reason=ending.reason if isinstance(ending, Bury) else None,
        result_ttl=decode_envelope(held.envelope).result_ttl,
        by=f"{fence.counter}:{fence.nonce}",
    )


def settled_by(change: Change, ending: Settle | Bury, standing: Outcome) -> Change:
    """The change as the outcome that stands has it.

    The result stays where it is recorded. What the change publishes belongs to its own end: where another one stands,
    it is not published.
    """
    same = standing.state is outcome_state(event_of(ending))
    writes = (end_by(standing) if write is ending else write for write in change.writes)
    return replace(change, writes=tuple(write for write in writes if same or not isinstance(write, Publish)))


def end_by(standing: Outcome) -> Write:
    """The write that ends a task in the broker as it ended in the results."""
    if standing.state is TaskState.FAILED and standing.bury_reason is not None:
        return Bury(standing.bury_reason, standing.error)
    return Settle(_EVENTS[standing.state], error=standing.error)
