"""What the producer holds of a task: its id, and the questions it may ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final, Generic, Protocol, TypeVar

from stem.tasks.call import TaskCall
from stem.tasks.status import Progress, TaskStatus

__all__ = ["Copies", "Enqueuer", "HandleSource", "TaskHandle"]

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

    async def task_copies(self, task_id: str, timeout: timedelta | None, /) -> Mapping[str, str]:
        """The id of each worker's copy of a broadcast, once it is handed out."""
        ...

    async def wait_results(self, task_ids: Sequence[str], timeout: timedelta | None, /) -> list[bytes]:
        """The stored results, in order; raises the error of the first task, in time, that ended without one."""
        ...


class TaskHandle(Generic[R_co]):
    """A task that was accepted. `duplicate` says that the id is of an earlier task which holds the same unique key.

    Handles of the same task are equal. It is no dataclass, because one is made for each task: a frozen one costs three
    times as much to make.
    """

    __slots__ = ("_decode", "_source", "_wait_timeout", "duplicate", "id")

    def __init__(
        self,
        id: str,  # noqa: A002  # its public name
        source: HandleSource,
        decode: Callable[[bytes], R_co],
        wait_timeout: timedelta | None = None,
        *,
        duplicate: bool = False,
    ) -> None:
        self.id: Final = id
        self.duplicate: Final = duplicate
        self._source = source
        self._decode = decode
        self._wait_timeout = wait_timeout

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaskHandle) and (self.id, self.duplicate) == (other.id, other.duplicate)

    def __hash__(self) -> int:
        return hash((self.id, self.duplicate))

    def __repr__(self) -> str:
        return f"TaskHandle(id={self.id!r}, duplicate={self.duplicate})"

    async def result(self, *, timeout: timedelta | None = None) -> R_co:
        """The result, as soon as it is recorded; `timeout=None` uses the call's `wait_timeout`, and without one
        waits on.

        Raises `TaskFailed`, `TaskCancelled`, `TaskExpired` as the task ended; `WaitTimeout` when the time is over (the
        task goes on); `ResultExpired`, `ResultIgnored`, `UnknownId` where there is nothing to give, and
        `BroadcastError`, when every copy has ended, for a task that ran on every worker: see `copies`.
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

        A task that has ended stays as it is. A broadcast is cancelled with all its copies. Raises `UnknownId`.
        """
        return await self._source.cancel_task(self.id, terminate=terminate)

    async def copies(self, *, timeout: timedelta | None = None) -> Copies[R_co]:
        """The handles of a broadcast's copies, by worker, as soon as it is handed out to the workers that live then.

        Raises `BroadcastError` for any other task; `WaitTimeout` when no worker handed it out in time, and what
        `result` raises when it ended before.
        """
        copies = await self._source.task_copies(self.id, timeout if timeout is not None else self._wait_timeout)
        handles = {
            worker: TaskHandle(copy, self._source, self._decode, self._wait_timeout) for worker, copy in copies.items()
        }

        async def wait(longest: timedelta | None) -> list[R_co]:
            longest = longest if longest is not None else self._wait_timeout
            return list(map(self._decode, await self._source.wait_results(tuple(copies.values()), longest)))

        return Copies(handles, wait)


class Copies(Mapping[str, TaskHandle[R_co]]):
    """The copies of a broadcast: a handle for each worker's, by the worker's name."""

    def __init__(
        self, handles: Mapping[str, TaskHandle[R_co]], wait: Callable[[timedelta | None], Awaitable[list[R_co]]]
    ) -> None:
        self._handles = handles
        self._wait = wait

    def __getitem__(self, worker: str, /) -> TaskHandle[R_co]:
        return self._handles[worker]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handles)

    def __len__(self) -> int:
        return len(self._handles)

    def __repr__(self) -> str:
        return f"Copies({', '.join(self._handles)})"

    async def result(self, *, timeout: timedelta | None = None) -> dict[str, R_co]:
        """Every worker's result. Raises the error of the first copy, in time, that ended without one."""
        return dict(zip(self, await self._wait(timeout), strict=True))

    async def status(self) -> dict[str, TaskStatus]:
        """Every copy's status."""
        return {worker: await handle.status() for worker, handle in self.items()}


class Enqueuer(Protocol):
    """What can enqueue: a `Stem`, a `TaskContext`."""

    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]:
        """Store the call; it is accepted when this returns."""
        ...
