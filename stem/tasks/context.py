"""What a running task may ask for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, NoReturn, Protocol, TypeVar

from typing_extensions import TypeVar as DefaultTypeVar

from stem.tasks.call import TaskCall
from stem.tasks.handle import TaskHandle
from stem.tasks.options import JsonValue

__all__ = ["AttemptControls", "RetryRequested", "SyncEnqueuer", "TaskContext"]

R = TypeVar("R")
State = DefaultTypeVar("State", default=None)


class RetryRequested(Exception):
    """Raised by `ctx.retry()`: the attempt ends here and counts; the next one comes after `delay`."""

    def __init__(self, delay: timedelta | None, reason: str | None) -> None:
        super().__init__(reason or "the task asked to be retried")
        self.delay = delay
        self.reason = reason


class AttemptControls(Protocol):
    """The worker's side of a context. Everything but `enqueue` is non-blocking and may be called from any thread."""

    @property
    def cancelled(self) -> bool: ...
    @property
    def deadline(self) -> datetime | None: ...
    def heartbeat(self) -> None: ...
    def extend_lease(self, by: timedelta, /) -> None: ...
    def progress(self, done: float, total: float | None, message: str | None, data: JsonValue, /) -> None: ...
    def follow_up(self, call: TaskCall[object], /) -> str: ...
    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]: ...
    def enqueue_blocking(self, call: TaskCall[R], /) -> TaskHandle[R]: ...


@dataclass(frozen=True, slots=True)
class SyncEnqueuer:
    """`ctx.sync`: what a handler in a thread may call."""

    _controls: AttemptControls = field(repr=False)

    def enqueue(self, call: TaskCall[R], /) -> str:
        """Publish at once, blocking this thread until it is accepted; the id, which a rerun repeats."""
        return self._controls.enqueue_blocking(call).id


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext(Generic[State]):
    """The running attempt. Plain methods are non-blocking and thread-safe."""

    task_id: str
    attempt: int
    """0-based: 0 in the first attempt."""
    max_retries: int
    queue: str
    headers: Mapping[str, str]
    meta: Mapping[str, JsonValue]
    worker: str
    fence: int
    """Grows with every lease of this task: pass it to systems that can refuse an older one."""
    logger: logging.LoggerAdapter[logging.Logger] = field(repr=False)
    state: State
    """What the worker's lifespan gave; `None` without one."""
    _controls: AttemptControls = field(repr=False)

    @property
    def cancelled(self) -> bool:
        """Whether the attempt should end: a cancel was requested, a time limit was reached, the lease was lost, or the
        worker stops now."""
        return self._controls.cancelled

    @property
    def deadline(self) -> datetime | None:
        """When the attempt must be over: at its hard limit, else at its soft one; `None` without a time limit."""
        return self._controls.deadline

    @property
    def sync(self) -> SyncEnqueuer:
        """Blocking twins, for `def` handlers."""
        return SyncEnqueuer(self._controls)

    def heartbeat(self) -> None:
        """Renew the lease soon, whatever the schedule of renewals says."""
        self._controls.heartbeat()

    def extend_lease(self, by: timedelta) -> None:
        """Let the lease reach `by` further at its next renewals, for code that will hold the interpreter that long."""
        self._controls.extend_lease(by)

    def progress(
        self, done: float, total: float | None = None, message: str | None = None, data: JsonValue = None
    ) -> None:
        """Record how far the task is; the latest report wins and survives a crash."""
        self._controls.progress(done, total, message, data)

    def retry(self, delay: timedelta | None = None, reason: str | None = None) -> NoReturn:
        """End this attempt and run again after `delay` (the task's backoff when not given); counts as an attempt."""
        raise RetryRequested(delay, reason)

    def follow_up(self, call: TaskCall[object]) -> str:
        """Publish `call` by the change that settles this task as succeeded, so both happen or neither; its id."""
        return self._controls.follow_up(call)

    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]:
        """Publish at once, under an id that a rerun of this task repeats: a task that crashes after it enqueues
        it once."""
        return await self._controls.enqueue(call)
