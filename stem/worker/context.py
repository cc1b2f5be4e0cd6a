"""The worker's side of `TaskContext`: progress, follow-ups, enqueueing under ids that a rerun repeats."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from stem.clock import Clock, Micros, from_micros, to_micros
from stem.codec import dump_json
from stem.contracts.changes import Change, Fenced, Publish, Report
from stem.errors import ConfigError, StoreError
from stem.ids import derived_id
from stem.signals.middleware import Stack
from stem.stores.committer import Commits
from stem.tasks.call import TaskCall
from stem.tasks.context import TaskContext
from stem.tasks.encoders import PLAIN, Encoders
from stem.tasks.envelope import Envelope
from stem.tasks.handle import TaskHandle
from stem.tasks.options import JsonValue
from stem.tasks.status import Progress
from stem.worker.decide import Stop
from stem.worker.held import Held
from stem.worker.lease import LeaseKeeper
from stem.worker.tell import Teller

__all__ = ["CallPublisher", "Controls", "Surroundings", "open_context"]

R = TypeVar("R")

_log: Final = logging.getLogger("stem.worker")
_task_log: Final = logging.getLogger("stem.task")
_REPORTS_PER_LEASE: Final = 1 << 32


class CallPublisher(Protocol):
    """Makes messages of calls: the client's one publish path."""

    @property
    def middleware(self) -> Sequence[object]:
        """What sees each call before it is published."""
        ...

    def prepare(self, call: TaskCall[R], *, task_id: str | None, root: str, parent: str | None) -> Publish:
        """The message, under this id unless the call brings one; nothing is sent."""
        ...

    async def prepare_passed(self, call: TaskCall[R], *, task_id: str, root: str, parent: str) -> Publish:
        """The same for a call that goes through the middleware first."""
        ...

    async def publish_as(self, call: TaskCall[R], *, task_id: str, root: str, parent: str) -> TaskHandle[R]:
        """Store the call under this id and lineage; repeated, it finds what it stored before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every context of one worker shares."""

    worker: str
    state: object
    publisher: CallPublisher
    commits: Commits
    keeper: LeaseKeeper
    loop: asyncio.AbstractEventLoop
    clock: Clock
    tell: Teller
    middleware: Stack
    middleware_limit: Micros
    """How long it may take before a handler, and after it."""
    encoders: Encoders = PLAIN


class Controls:
    """Implements `AttemptControls` for one attempt."""

    def __init__(self, held: Held, envelope: Envelope, around: Surroundings) -> None:
        self._held = held
        self._root = envelope.root or envelope.id
        self._around = around
        self._lock = threading.Lock()
        self._ordinal = 0
        self._follow_ups: list[Publish] = []
        self._to_pass: list[tuple[int, TaskCall[object], contextvars.Context]] = []
        self._reports = held.fence.counter * _REPORTS_PER_LEASE
        self._unsent: Progress | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def cancelled(self) -> bool:
        held = self._held
        return held.cancel_requested or held.overdue or held.stop is not None

    @property
    def deadline(self) -> datetime | None:
        deadline = self._held.deadline
        return None if deadline is None else from_micros(deadline)

    @property
    def follow_ups(self) -> tuple[Publish, ...]:
        """What the settling change publishes, in the order it was asked for."""
        return tuple(self._follow_ups)

    def heartbeat(self) -> None:
        self._around.keeper.soon(self._held)

    def extend_lease(self, by: timedelta, /) -> None:
        self._held.lease = self._held.delivery.lease + max(0, to_micros(by))
        self._around.keeper.soon(self._held)

    def progress(self, done: float, total: float | None, message: str | None, data: JsonValue, /) -> None:
        text = None if data is None else dump_json(data).decode()
        with self._lock:
            self._reports += 1
            idle = self._unsent is None
            self._unsent = Progress(self._reports, done, total, message, text)
        if idle:
            self._around.loop.call_soon_threadsafe(self._send_soon)

    def follow_up(self, call: TaskCall[object], /) -> str:
        publisher = self._around.publisher
        message = publisher.prepare(call, task_id=self._next_id(), root=self._root, parent=self._id)
        with self._lock:
            if publisher.middleware:
                self._to_pass.append((len(self._follow_ups), call, contextvars.copy_context()))
            self._follow_ups.append(message)
        return message.envelope.id

    async def pass_follow_ups(self) -> None:
        """Let the middleware see them, each in the context in which it was asked for. Raises what it refuses with."""
        for place, call, context in self._to_pass:
            task_id = self._follow_ups[place].envelope.id
            passing = self._around.publisher.prepare_passed(call, task_id=task_id, root=self._root, parent=self._id)
            self._follow_ups[place] = await self._around.loop.create_task(passing, context=context)

    async def enqueue(self, call: TaskCall[R], /) -> TaskHandle[R]:
        publishing = self._publish(call, self._next_id())
        if _running_loop() is self._around.loop:
            return await publishing
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(publishing, self._around.loop))

    def enqueue_blocking(self, call: TaskCall[R], /) -> TaskHandle[R]:
        if _running_loop() is self._around.loop:
            raise ConfigError(
                expected="`ctx.sync` to be used in a thread",
                found="a call on the event loop, which it would block for ever",
                do="Write `await ctx.enqueue(...)`.",
            )
        return _wait_for(self._publish(call, self._next_id()), self._around.loop)

    async def flush(self) -> None:
        """Return when the latest report is recorded, or cannot be."""
        if self._unsent is not None:
            self._send_soon()
        if self._sending is not None:
            await asyncio.wait((self._sending,))

    @property
    def _id(self) -> str:
        return self._held.fence.task_id

    def _next_id(self) -> str:
        with self._lock:
            self._ordinal += 1
            return derived_id(self._id, self._held.delivery.generation, self._ordinal)

    def _publish(self, call: TaskCall[R], task_id: str) -> Coroutine[Any, Any, TaskHandle[R]]:
        return self._around.publisher.publish_as(call, task_id=task_id, root=self._root, parent=self._id)

    def _send_soon(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = self._around.loop.create_task(self._send())

    async def _send(self) -> None:
        while (report := self._take_unsent()) is not None:
            if not await self._commit(report):
                return

    def _take_unsent(self) -> Progress | None:
        with self._lock:
            report, self._unsent = self._unsent, None
            return report

    async def _commit(self, progress: Progress) -> bool:
        try:
            verdict = await self._around.commits.commit(report_change(self._held, progress))
        except StoreError as error:
            _log.warning("progress of task %s was not recorded (%s)", self._id, error.code)
            return False
        if isinstance(verdict, Fenced):
            self._held.end(Stop.LOST)
        return True


def report_change(held: Held, progress: Progress) -> Change:
    """The change that records a report."""
    return Change((Report(progress),), held.fence)


def open_context(controls: Controls, held: Held, envelope: Envelope, around: Surroundings) -> TaskContext[object]:
    """The context that the handler sees."""
    delivery = held.delivery
    return TaskContext(
        task_id=delivery.fence.task_id,
        attempt=delivery.attempt,
        max_retries=delivery.max_retries,
        queue=delivery.queue,
        headers=dict(envelope.headers),
        meta=dict(envelope.meta),
        worker=around.worker,
        fence=delivery.fence.counter,
        logger=logging.LoggerAdapter(_task_log, {"task_id": delivery.fence.task_id, "task": delivery.name}),
        state=around.state,
        _controls=controls,
    )


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _wait_for(coroutine: Coroutine[Any, Any, TaskHandle[R]], loop: asyncio.AbstractEventLoop) -> TaskHandle[R]:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
