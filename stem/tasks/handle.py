"""What the producer holds of a task: its id, and the questions it may ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from stem.tasks.call import TaskCall
from stem.tasks.status import Progress, TaskStatus

__all__ = ["Enqueuer", "HandleSource", "TaskHandle"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class HandleSource(Protocol):
    """What answers a handle's questions: a client."""

    async def wait_result(self, task_id: str, timeout: timedelta | None, /) -> bytes:
        """The stored result, once there is one; raises the error that the task ended with."""
        ...

    async def task_status(self, task_id: str, /) -> TaskStatus:
        """The status now. Raises `UnknownId`."""
        ...

    def task_progress(self, task_id: str, /) -> AsyncIterator[Progress]:
        """Every report seen until the task is terminal."""
        ...

    async def cancel_task(self, task_id: str, /, *, terminate: bool) -> TaskStatus:
        """End what has not begun; ask what runs to end. The status after that."""
        ...


@dataclass(frozen=True, slots=True)
class TaskHandle(Generic[R_co]):
    """A task that was accepted. `duplicate` says that the id is of an earlier task which holds the same unique key."""

    id: str
    _source: HandleSource = field(repr=False, compare=False)
    _decode: Callable[[bytes], R_co] = field(repr=False, compare=False)
    _wait_timeout: timedelta | None = field(default=None, repr=False, compare=False)
    duplicate: bool = False

    async def result(self, *, timeout: timedelta | None = None) -> R_co:
        """The result, as soon as it is recorded; `timeout=None` uses the call's `wait_timeout`, and without one
        waits on.

        Raises `TaskFailed`, `TaskCancelled`, `TaskExpired` as the task ended; `WaitTimeout` when the time is over (the
        task goes on); `ResultExpired`, `ResultIgnored`, `UnknownId` where there is nothing to give.
        """
        return self._decode(
            await self._source.wait_result(self.id, timeout if timeout is not None else self._wait_timeout)
        )

    async def status(self) -> TaskStatus:
        """State, attempt, error, progress, times and worker, as recorded now. Raises `UnknownId`."""
        return await self._source.task_status(self.id)

    def progress(self) -> AsyncIterator[Progress]:
        """The task's progress reports as they come, ending when it is terminal. Reports between two looks are
        merged."""
        return self._source.task_progress(self.id)

    async def cancel(self, *, terminate: bool = False) -> TaskStatus:
        """Cancel it: at once when it waits; when it runs, its worker is asked, and with `terminate` the attempt
        is stopped.

        A task that has ended stays as it is. Raises `UnknownId`.
        """
        return await self._source.cancel_task(self.id, terminate=terminate)


class Enqueuer(Protocol):
    """What can enqueue: a `Stem`, a `TaskContext`."""

    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]:
        """Store the call; it is accepted when this returns."""
        ...
