"""All signals of one client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, TypeVar

from stem.clock import Clock, from_micros
from stem.signals.events import (
    ChildEndedEvent,
    ChildStartedEvent,
    ControlCompletedEvent,
    ControlReceivedEvent,
    Event,
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
    WorkerHeartbeatEvent,
    WorkerReadyEvent,
    WorkerStartingEvent,
    WorkerStoppedEvent,
    WorkerStoppingEvent,
)
from stem.signals.line import Line
from stem.signals.signal import Signal

__all__ = ["Signals"]

E = TypeVar("E", bound=Event)


class Signals:
    """The signals of one `Stem`; another one has its own, and hears nothing of this one.

    Handlers are called one at a time, on this client's loop (`async def`) or in a thread (`def`): events in the order
    in which they happened, the handlers of one event by their priority. A worker never waits for them: calls wait in a
    line of at most 10,000, and an event that finds no place is dropped and counted in `dropped`. What tells of a
    worker's life always finds one.
    """

    def __init__(self, clock: Clock) -> None:
        self.heard = False
        """Whether anybody listens to anything."""
        self._clock = clock
        self._line: Final = Line(clock)
        self._taps: tuple[Callable[[Event], None], ...] = ()
        self._all: Final = list[Signal[Any]]()
        self.task_publishing: Final = self._signal(TaskPublishingEvent)
        self.task_published: Final = self._signal(TaskPublishedEvent)
        self.task_duplicate: Final = self._signal(TaskDuplicateEvent)
        self.task_received: Final = self._signal(TaskReceivedEvent)
        self.task_started: Final = self._signal(TaskStartedEvent)
        self.task_succeeded: Final = self._signal(TaskSucceededEvent)
        self.task_retried: Final = self._signal(TaskRetriedEvent)
        self.task_failed: Final = self._signal(TaskFailedEvent)
        self.task_cancelled: Final = self._signal(TaskCancelledEvent)
        self.task_expired: Final = self._signal(TaskExpiredEvent)
        self.task_parked: Final = self._signal(TaskParkedEvent)
        self.task_released: Final = self._signal(TaskReleasedEvent)
        self.task_lost: Final = self._signal(TaskLostEvent)
        self.task_rescued: Final = self._signal(TaskRescuedEvent)
        self.task_finished: Final = self._signal(TaskFinishedEvent)
        self.worker_starting: Final = self._signal(WorkerStartingEvent)
        self.worker_ready: Final = self._signal(WorkerReadyEvent)
        self.worker_heartbeat: Final = self._signal(WorkerHeartbeatEvent)
        self.worker_stopping: Final = self._signal(WorkerStoppingEvent)
        self.worker_stopped: Final = self._signal(WorkerStoppedEvent)
        self.child_started: Final = self._signal(ChildStartedEvent)
        self.child_ended: Final = self._signal(ChildEndedEvent)
        self.control_received: Final = self._signal(ControlReceivedEvent)
        self.control_completed: Final = self._signal(ControlCompletedEvent)
        self._by_event: Final = {signal.event: signal for signal in self}

    def __iter__(self) -> Iterator[Signal[Any]]:
        """Every signal."""
        return iter(self._all)

    @property
    def dropped(self) -> int:
        """How many events were told to nobody, because too many waited, or the client was closed."""
        return self._line.dropped

    def now(self) -> datetime:
        """The time that an event of this moment carries."""
        return from_micros(self._clock.now())

    def tell(self, event: Event) -> None:
        """What happened, for everybody who listens. From any thread; waits for nobody and raises nothing."""
        for tap in self._taps:
            tap(event)
        self._by_event[type(event)].tell(event)

    def tap(self, sink: Callable[[Event], None]) -> Callable[[], None]:
        """Give every event to `sink` at once, where it happens: it must not raise, nor take long. What ends that."""
        self._taps = (*self._taps, sink)
        self._count()

        def end() -> None:
            self._taps = tuple(tap for tap in self._taps if tap is not sink)
            self._count()

        return end

    def open(self) -> None:
        """Call handlers on the running loop from now on."""
        self._line.open()

    async def drain(self) -> None:
        """Return when every event is delivered, or after 5 s."""
        await self._line.drain()

    async def finish(self) -> None:
        """Deliver what waits, for at most 5 s; then what of it tells of a worker's life, for as long again."""
        await self._line.finish()

    def close(self) -> None:
        """Call no handler any more; what still waits is dropped."""
        self._line.close()

    def forget(self) -> None:
        """Let go of a loop that is closed, or of another process's."""
        self._line.forget()

    def _signal(self, event: type[E]) -> Signal[E]:
        signal = Signal(event, self._line, self._count)
        self._all.append(signal)
        return signal

    def _count(self) -> None:
        tapped = bool(self._taps)
        heard = tapped
        for signal in self:
            signal.heard = tapped or signal.is_connected
            heard = heard or signal.heard
        self.heard = heard
