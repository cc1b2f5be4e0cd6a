"""The child's side of `TaskContext`: everything is a message to the worker, which does it as for its own handlers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn, TypeVar

from stem.clock import from_micros, to_micros
from stem.errors import ConfigError
from stem.tasks.call import TaskCall
from stem.tasks.context import TaskContext
from stem.tasks.handle import TaskHandle
from stem.tasks.options import JsonValue
from stem.tasks.status import Progress, TaskStatus
from stem.worker.process.link import Link
from stem.worker.process.messages import Answer, Beat, Begin, Extend, Report

__all__ = ["ChildControls", "open_context"]

R = TypeVar("R")

_task_log: Final = logging.getLogger("stem.task")


class ChildControls:
    """Implements `AttemptControls` over the pipe."""

    def __init__(self, run: Begin, link: Link) -> None:
        self._run = run
        self._link = link
        self.cancelled = run.cancelled

    @property
    def task(self) -> str:
        """The name of the task."""
        return self._run.name

    @property
    def deadline(self) -> datetime | None:
        deadline = self._run.deadline
        return None if deadline is None else from_micros(deadline)

    def heartbeat(self) -> None:
        self._link.send(Beat())

    def extend_lease(self, by: timedelta, /) -> None:
        self._link.send(Extend(to_micros(by)))

    def progress(self, done: float, total: float | None, message: str | None, data: JsonValue, /) -> None:
        self._link.send(Report(done, total, message, data))

    def follow_up(self, call: TaskCall[object], /) -> str:
        return self._link.ask(call, at_the_end=True).task_id

    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]:
        return _handle(call, await asyncio.to_thread(self._link.ask, call, at_the_end=False))

    def enqueue_blocking(self, call: TaskCall[R], /) -> TaskHandle[R]:
        return _handle(call, self._link.ask(call, at_the_end=False))


def open_context(run: Begin, controls: ChildControls, *, worker: str, state: object) -> TaskContext[object]:
    """The context that a handler in a child process sees."""
    return TaskContext(
        task_id=run.task_id,
        attempt=run.attempt,
        max_retries=run.max_retries,
        queue=run.queue,
        headers=run.headers,
        meta=run.meta,
        worker=worker,
        fence=run.fence,
        logger=logging.LoggerAdapter(_task_log, {"task_id": run.task_id, "task": run.name}),
        state=state,
        _controls=controls,
    )


def _handle(call: TaskCall[R], answer: Answer) -> TaskHandle[R]:
    return TaskHandle(answer.task_id, _Elsewhere(), call.decode_result, duplicate=answer.duplicate)


class _Elsewhere:
    """Implements `HandleSource` where there is no client: a handle in a child process has an id, and nobody to ask."""

    async def wait_result(self, task_id: str, timeout: timedelta | None, /) -> bytes:
        _refuse(task_id)

    async def task_status(self, task_id: str, /) -> TaskStatus:
        _refuse(task_id)

    def task_progress(self, task_id: str, /) -> AsyncIterator[Progress]:
        _refuse(task_id)

    async def cancel_task(self, task_id: str, /, *, terminate: bool) -> TaskStatus:
        _refuse(task_id)

    async def task_copies(self, task_id: str, timeout: timedelta | None, /) -> Mapping[str, str]:
        _refuse(task_id)

    async def wait_results(self, task_ids: Sequence[str], timeout: timedelta | None, /) -> list[bytes]:
        _refuse(", ".join(task_ids))


def _refuse(task_id: str) -> NoReturn:
    raise ConfigError(
        expected="the handle of a task to be asked where a Stem is open",
        found=f"the handle of {task_id} in a child process of a worker",
        do="Open a Stem in the handler or in its lifespan, and ask `stem.handle(id)`.",
    )
