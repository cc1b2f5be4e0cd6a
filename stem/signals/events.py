"""What listeners are told: one frozen value for each moment in the life of a task or a worker.

None carries arguments, results, headers or meta. What a task failed with is told as its status tells it to everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = [
    "AttemptEvent",
    "ChildEndedEvent",
    "ChildStartedEvent",
    "ControlCompletedEvent",
    "ControlReceivedEvent",
    "Event",
    "PublishEvent",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `at` is aware UTC, by the clock of the process that tells it."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEvent(Event):
    """What a producer does with one task."""

    task_id: str
    task: str
    """The task's name."""
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPublishingEvent(PublishEvent):
    """The message is made and goes to the store; the store may still refuse it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPublishedEvent(PublishEvent):
    """The store has accepted the task; in a transaction of the caller, it is written and not yet committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDuplicateEvent(PublishEvent):
    """Nothing was stored, because the live task `task_id` holds the unique key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(Event):
    """What a worker does with one delivery of a task."""

    task_id: str
    task: str
    """The task's name."""
    queue: str
    worker: str
    attempt: int
    """0-based: 0 in the first attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReceivedEvent(AttemptEvent):
    """A worker has the task in hand: it is now opened and checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStartedEvent(AttemptEvent):
    """The handler is called next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSucceededEvent(AttemptEvent):
    """The result is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetriedEvent(AttemptEvent):
    """The attempt failed, and it is recorded that the next one comes `delay` later."""

    error: Failure
    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailedEvent(AttemptEvent):
    """The task is failed, and buried in the dead letters; `reason` is the stable text that `stem dlq` shows."""

    error: Failure | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCancelledEvent(AttemptEvent):
    """The worker has ended the task because somebody cancelled it; `error` is what its handler raised then."""

    error: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExpiredEvent(AttemptEvent):
    """The worker found the task after its `expires`, and did not run it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskParkedEvent(AttemptEvent):
    """This worker's registry cannot run the task; it is left to others for `pause`."""

    reason: str
    pause: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReleasedEvent(AttemptEvent):
    """The task went back to its queue, due after `delay`; no attempt was used."""

    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLostEvent(AttemptEvent):
    """This worker has given the delivery up, and another one will have it.

    `why`: "fenced", the lease was another's already; "unknown", nobody knows whether the outcome is recorded, or there
    was none to record.
    """

    why: Literal["fenced", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRescuedEvent(AttemptEvent):
    """The worker has taken the task over from `lost_by`, which is gone."""

    lost_by: str
    crashed: bool
    """Whether it had started there, so that its loss has used an attempt."""
    crashes: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinishedEvent(AttemptEvent):
    """An attempt has its recorded outcome, whichever; told after the event that says which."""

    state: TaskState
    """The task's state after it: terminal, or that of a task which comes back."""
    ran: timedelta | None
    """How long its handler ran; `None` when it was not called, or nobody was listening then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvent(Event):
    """What happens to a worker."""

    worker: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStartingEvent(WorkerEvent):
    """The worker begins to start: its lifespan comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReadyEvent(WorkerEvent):
    """The worker leases tasks from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHeartbeatEvent(WorkerEvent):
    """The store has the worker's sign of life."""

    running: int
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStoppingEvent(WorkerEvent):
    """The worker leases nothing more; `running` attempts may go on for `drain`."""

    running: int
    drain: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStoppedEvent(WorkerEvent):
    """Everything of the worker is closed."""

    error: str | None
    """The class of the error that made it unable to go on; `None` when it was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStartedEvent(WorkerEvent):
    """The worker has started a child process for handlers."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEndedEvent(WorkerEvent):
    """A child process is gone: stopped, replaced, killed or dead by itself."""

    pid: int
    tasks: int
    """How many attempts it had finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlReceivedEvent(WorkerEvent):
    """An operator has asked the worker for something; `command` is the id, `kind` what it is."""

    command: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCompletedEvent(ControlReceivedEvent):
    """The worker has its answer."""

    error: str | None
    """The class of the error that it answers with; `None` when it did what it was asked for."""
