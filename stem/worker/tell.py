"""What a worker tells its listeners: an event for each thing that happened to a delivery, or to itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypedDict

from stem.clock import Clock
from stem.contracts.changes import Bury, Change, Park, Publish, Release, Reschedule, Settle, Write, ending_of
from stem.contracts.commands import Command
from stem.contracts.store import Delivery
from stem.signals import events
from stem.signals.events import AttemptEvent, WorkerEvent
from stem.signals.hub import Signals
from stem.tasks.options import JsonValue
from stem.tasks.state import TaskEvent, outcome_state
from stem.tasks.status import Failure
from stem.worker.control import Desk
from stem.worker.held import Held
from stem.worker.settings import WorkerSettings
from stem.worker.stats import event_of

__all__ = ["Teller", "outcome_of"]


class _About(TypedDict):
    """What every event of a delivery says."""

    at: datetime
    task_id: str
    task: str
    queue: str
    worker: str
    attempt: int


class Teller:
    """Makes events, for those who listen. Its owner asks `heard` first, so that nothing is made for nobody."""

    def __init__(self, signals: Signals, settings: WorkerSettings, clock: Clock) -> None:
        self.signals = signals
        self._clock = clock
        self._worker = settings.name
        self._queues = tuple(settings.queues)

    def received(self, delivery: Delivery) -> None:
        """An attempt begins."""
        self.signals.tell(events.TaskReceivedEvent(**self._about(delivery)))

    def started(self, held: Held) -> None:
        """The handler is called."""
        self.signals.tell(events.TaskStartedEvent(**self._about(held.delivery)))
        held.began = self._clock.elapsed()

    def handled(self, held: Held) -> None:
        """The handler has ended, if it was called."""
        if held.began is not None:
            held.ran = self._clock.elapsed() - held.began

    def finished(self, held: Held, change: Change) -> None:
        """An attempt has its recorded outcome. Call `handled` first."""
        self.ended(held.delivery, change)
        event = event_of(ending_of(change))
        if event is not None:
            ran = None if held.ran is None else timedelta(microseconds=held.ran)
            about = self._about(held.delivery)
            self.signals.tell(events.TaskFinishedEvent(**about, state=outcome_state(event), ran=ran))

    def ended(self, delivery: Delivery, change: Change) -> None:
        """A change that ends a delivery was applied; and so was what it publishes."""
        made = outcome_of(ending_of(change), self._about(delivery))
        if made is not None:
            self.signals.tell(made)
        for write in change.writes:
            if isinstance(write, Publish):
                self._published(write)

    def lost(self, delivery: Delivery, why: Literal["fenced", "unknown"]) -> None:
        """The delivery was given up."""
        self.signals.tell(events.TaskLostEvent(**self._about(delivery), why=why))

    def rescued(self, delivery: Delivery) -> None:
        """The delivery was taken over."""
        self.signals.tell(
            events.TaskRescuedEvent(
                **self._about(delivery),
                lost_by=delivery.lost_by or "",
                crashed=delivery.started,
                crashes=delivery.crashes,
                lost=delivery.lost,
            )
        )

    def starting(self) -> None:
        """The worker begins to start."""
        self._of_worker(events.WorkerStartingEvent)

    def ready(self) -> None:
        """The worker works."""
        self._of_worker(events.WorkerReadyEvent)

    def beat(self, running: int, concurrency: int) -> None:
        """The store has its sign of life."""
        self._of_worker(partial(events.WorkerHeartbeatEvent, running=running, concurrency=concurrency))

    def stopping(self, running: int, drain: timedelta) -> None:
        """The worker begins to stop."""
        self._of_worker(partial(events.WorkerStoppingEvent, running=running, drain=drain))

    def stopped(self, error: BaseException | None) -> None:
        """The worker is closed."""
        self._of_worker(partial(events.WorkerStoppedEvent, error=None if error is None else type(error).__name__))

    def child_started(self, pid: int) -> None:
        """A child process was started."""
        self._of_worker(partial(events.ChildStartedEvent, pid=pid))

    def child_ended(self, pid: int, tasks: int) -> None:
        """A child process is gone."""
        self._of_worker(partial(events.ChildEndedEvent, pid=pid, tasks=tasks))

    def answering(self, desk: Desk) -> Desk:
        """The same desk, told of before and after each answer."""

        async def answer(command: Command) -> Mapping[str, JsonValue]:
            id_, kind = command.id, command.kind
            self._of_worker(partial(events.ControlReceivedEvent, command=id_, kind=kind))
            failed: str | None = None
            try:
                return await desk(command)
            except Exception as error:
                failed = type(error).__name__
                raise
            finally:
                self._of_worker(partial(events.ControlCompletedEvent, command=id_, kind=kind, error=failed))

        return answer

    def _of_worker(self, make: Callable[..., WorkerEvent]) -> None:
        if self.signals.heard:
            self.signals.tell(make(at=self.signals.now(), worker=self._worker, queues=self._queues))

    def _about(self, delivery: Delivery) -> _About:
        return _About(
            at=self.signals.now(),
            task_id=delivery.fence.task_id,
            task=delivery.name,
            queue=delivery.queue,
            worker=self._worker,
            attempt=delivery.attempt,
        )

    def _published(self, write: Publish) -> None:
        envelope, at = write.envelope, self.signals.now()
        self.signals.tell(
            events.TaskPublishedEvent(at=at, task_id=envelope.id, task=envelope.name, queue=envelope.queue)
        )


def outcome_of(write: Write, about: _About) -> AttemptEvent | None:
    """The event for the write that ends a delivery; `None` for any other."""
    match write:
        case Settle(event, _, error):
            return _settled(event, error, about)
        case Reschedule(delay, error):
            return events.TaskRetriedEvent(**about, error=error, delay=timedelta(microseconds=delay))
        case Bury(reason, error):
            return events.TaskFailedEvent(**about, error=error, reason=reason)
        case Release(delay):
            return events.TaskReleasedEvent(**about, delay=timedelta(microseconds=delay))
        case Park(reason, _, pause):
            return events.TaskParkedEvent(**about, reason=reason, pause=timedelta(microseconds=pause))
        case _:
            return None


def _settled(event: TaskEvent, error: Failure | None, about: _About) -> AttemptEvent:
    match event:
        case TaskEvent.SUCCEEDED:
            return events.TaskSucceededEvent(**about)
        case TaskEvent.CANCELLED:
            return events.TaskCancelledEvent(**about, error=error)
        case TaskEvent.EXPIRED:
            return events.TaskExpiredEvent(**about)
        case _:
            return events.TaskFailedEvent(**about, error=error, reason="")
