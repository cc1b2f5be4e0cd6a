"""Signals tell what happens; middleware takes part in it.

@stem.signals.task_failed.connect(task="billing.*")
async def tell_the_team(event: TaskFailedEvent) -> None:
    ...

stem = Stem(middleware=[LogAttempts()])  # from stem.signals.builtin
"""

from stem.signals.events import (
    AttemptEvent,
    ChildEndedEvent,
    ChildStartedEvent,
    Event,
    PublishEvent,
    TaskCancelledEvent,
    TaskDuplicateEvent,
    TaskExpiredEvent,
    TaskFailedEvent,
    TaskFinishedEvent,
    TaskLostEvent,
    TaskParkedEvent,
    TaskPublishedEvent,
    TaskPublishingEvent,
    TaskReceivedEvent,
    TaskReleasedEvent,
    TaskRescuedEvent,
    TaskRetriedEvent,
    TaskStartedEvent,
    TaskSucceededEvent,
    WorkerEvent,
    WorkerHeartbeatEvent,
    WorkerReadyEvent,
    WorkerStartingEvent,
    WorkerStoppedEvent,
    WorkerStoppingEvent,
)
from stem.signals.hub import Signals
from stem.signals.middleware import (
    AroundAttempt,
    Attempt,
    GiveUp,
    Instead,
    Middleware,
    NextAttempt,
    NextEnqueue,
    OnEnqueue,
    OnError,
    RaisedElsewhere,
    RetryLater,
)
from stem.signals.signal import Connection, Handler, Signal
from stem.signals.stream import EventStream

__all__ = [
    "AroundAttempt",
    "Attempt",
    "AttemptEvent",
    "ChildEndedEvent",
    "ChildStartedEvent",
    "Connection",
    "Event",
    "EventStream",
    "GiveUp",
    "Handler",
    "Instead",
    "Middleware",
    "NextAttempt",
    "NextEnqueue",
    "OnEnqueue",
    "OnError",
    "PublishEvent",
    "RaisedElsewhere",
    "RetryLater",
    "Signal",
    "Signals",
    "TaskCancelledEvent",
    "TaskDuplicateEvent",
    "TaskExpiredEvent",
    "TaskFailedEvent",
    "TaskFinishedEvent",
    "TaskLostEvent",
    "TaskParkedEvent",
    "TaskPublishedEvent",
    "TaskPublishingEvent",
    "TaskReceivedEvent",
    "TaskReleasedEvent",
    "TaskRescuedEvent",
    "TaskRetriedEvent",
    "TaskStartedEvent",
    "TaskSucceededEvent",
    "WorkerEvent",
    "WorkerHeartbeatEvent",
    "WorkerReadyEvent",
    "WorkerStartingEvent",
    "WorkerStoppedEvent",
    "WorkerStoppingEvent",
]
