"""What becomes of a delivery whose worker is gone: pure functions, as in `decide`."""

from __future__ import annotations

from typing import Final

from stem.contracts.changes import Bury, Change, Release, Settle, Start
from stem.contracts.store import Delivery
from stem.tasks.retry import DEFAULT_BACKOFF
from stem.tasks.state import TaskEvent
from stem.worker.decide import Reason, Rules, one
from stem.worker.traces import NO_TRACES, Traces, failure_of_loss

__all__ = ["decide_crashed", "is_buried", "needs_start", "starts_alone", "waits_for_start"]

_CRASHES_WITHOUT_BACKOFF: Final = 2


def decide_crashed(
    delivery: Delivery, rules: Rules | None, *, free: bool, random: float, traces: Traces = NO_TRACES
) -> Change | None:
    """What becomes of a delivery that another worker lost; `None` runs it here.

    `rules` are this registry's, where it knows the task. The first two crashes have no backoff; after that the message
    goes back for a while. Without a free slot it goes back at once, undelayed. Where it is buried, `traces` are
    recorded.
    """
    if delivery.cancel_requested:
        return one(delivery, Settle(TaskEvent.CANCELLED))
    early = delivery.ack == "early" or (rules is not None and rules.ack == "early")
    if early and delivery.started:
        return one(delivery, Bury(Reason.WORKER_LOST, failure_of_loss(delivery, traces)))
    if delivery.attempt > delivery.max_retries:
        return one(delivery, Bury(Reason.CRASHED, failure_of_loss(delivery, traces)))
    later = delivery.crashes - _CRASHES_WITHOUT_BACKOFF
    if delivery.started and later > 0:
        backoff = delivery.backoff or (rules.backoff if rules is not None else DEFAULT_BACKOFF)
        return one(delivery, Release(backoff.delay(later - 1, random)))
    return None if free else one(delivery, Release())


def starts_alone(delivery: Delivery) -> bool:
    """Whether it may start only while no other such delivery runs in this process, so that poison takes none along.

    After its first crash a delivery starts beside others, as long as one more crash would leave it an attempt: most of
    what a killed worker held is innocent, and has to run again soon.
    """
    return delivery.crashes > 1 or (delivery.crashes == 1 and delivery.attempt >= delivery.max_retries)


def is_buried(change: Change | None) -> bool:
    """Whether the task ends in the dead letters."""
    return change is not None and isinstance(change.writes[0], Bury)


def needs_start(delivery: Delivery) -> bool:
    """Whether the store has still to be told that this lease begins to run; a rescue's flag is of the lost attempt."""
    return not delivery.started or delivery.lost_by is not None


def waits_for_start(delivery: Delivery, start: Start) -> bool:
    """Whether the attempt begins only when its start is recorded: a task that may run at most once, or was lost before,
    and kills its process at once, must not get away as one that never began."""
    return start.ack == "early" or bool(delivery.crashes or delivery.lost)
