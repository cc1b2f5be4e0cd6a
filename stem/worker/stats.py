"""What a worker has done since it started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stem.contracts.changes import Bury, Change, Park, Release, Reschedule, Settle, Write, ending_of
from stem.tasks.state import TaskEvent

__all__ = ["WorkerStats", "event_of"]

_EVENTS: Final[Mapping[type, TaskEvent]] = {
    Bury: TaskEvent.BURIED,
    Park: TaskEvent.PARKED,
    Release: TaskEvent.RELEASED,
    Reschedule: TaskEvent.RETRIED,
}


def event_of(write: Write) -> TaskEvent | None:
    """The event by which this write ends a delivery; `None` for one that ends none."""
    return write.event if type(write) is Settle else _EVENTS.get(type(write))


@dataclass(slots=True)
class WorkerStats:
    """Counters; they only grow. `ended` counts the committed outcomes of deliveries by event."""

    leased: int = 0
    handled: int = 0
    """Handlers that were started."""
    rescued: int = 0
    """Deliveries taken over from lost workers."""
    fenced: int = 0
    """Outcomes dropped because the lease was another's."""
    dropped: int = 0
    """Deliveries given up before their start or without an outcome: their lease runs out."""
    ended: dict[TaskEvent, int] = field(default_factory=dict[TaskEvent, int])

    def count(self, change: Change) -> None:
        """Count an applied change that ended a delivery."""
        first = change.writes[0]
        event = first.event if type(first) is Settle else event_of(ending_of(change))
        if event is not None:
            self.ended[event] = self.ended.get(event, 0) + 1

    def of(self, event: TaskEvent) -> int:
        """How many deliveries ended so."""
        return self.ended.get(event, 0)
