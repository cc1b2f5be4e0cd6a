"""The middleware around an attempt: it sees the handler run and fail, and decides nothing but what it may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, cast

from stem.clock import Clock, Micros
from stem.contracts.store import Delivery
from stem.errors import MiddlewareFailed
from stem.signals.middleware import AroundAttempt, Attempt, GiveUp, Instead, OnError, RaisedElsewhere, RetryLater
from stem.tasks.envelope import Header
from stem.worker.decide import Judged
from stem.worker.patience import OutOfPatience, Patience

__all__ = ["Core", "ask", "attempt_of", "run_around"]

_LONGEST_ANSWER: Final[Micros] = 5_000_000

_log: Final = logging.getLogger("stem.worker")


@dataclass(frozen=True, slots=True)
class Core:
    """What the middleware is around."""

    handler: Callable[[], Awaitable[object]]
    follow: Callable[[], Awaitable[None]]
    """Passes on what the handler has asked to follow."""
    left: Callable[[], Micros | None]
    """What the hard time limit leaves, once the handler has ended; `None` without one."""
    patience: Patience


def attempt_of(delivery: Delivery, header: Header, worker: str) -> Attempt:
    """What middleware is told of an attempt."""
    return Attempt(
        task_id=delivery.fence.task_id,
        task=delivery.name,
        queue=delivery.queue,
        worker=worker,
        attempt=delivery.attempt,
        max_retries=delivery.max_retries,
        fence=delivery.fence.counter,
        headers=header.get("headers", {}),
    )


async def run_around(middleware: Sequence[AroundAttempt], attempt: Attempt, core: Core) -> object:
    """The handler's value or its own error, whatever the middleware makes of it.

    Raises `MiddlewareFailed` where the handler was not run, or has succeeded and a middleware raises; and where one
    takes longer than its time, which is cancelled then, and left alone when it goes on.
    """
    onion = _Onion(middleware, attempt, core)
    try:
        return await core.patience.within(onion.value())
    except OutOfPatience as error:
        if error.goes_on:
            _log.warning("task %s: %s goes on although it was cancelled", attempt.task_id, onion.at_work)
        if onion.error is None:
            raise onion.too_slow() from error
        _log.warning("task %s: %s; the handler's error stands", attempt.task_id, onion.too_slow())
        raise onion.error.with_traceback(onion.trace) from None


async def ask(middleware: Sequence[OnError], attempt: Attempt, error: Exception, clock: Clock) -> Instead | None:
    """The first answer that there is; `None` leaves the decision to the task's own `retry`."""
    for each in middleware:
        answer = await _answer(each, attempt, cast("Exception", shown(error)), clock)
        if answer is not None:
            return answer
    return None


def shown(error: BaseException) -> BaseException:
    """The error as middleware sees it: of one that was raised in another process there is only what is recorded."""
    return RaisedElsewhere(error.fault.failure) if isinstance(error, Judged) else error


class _Onion:
    def __init__(self, middleware: Sequence[AroundAttempt], attempt: Attempt, core: Core) -> None:
        self._middleware = middleware
        self._attempt = attempt
        self._core = core
        self._began = self._ended = False
        self._at = 0
        """Which layer works; one more than there are when all of them have ended."""
        self._result: object = None
        self.error: BaseException | None = None
        self.shown: BaseException | None = None
        """The error as middleware sees it."""
        self.trace: TracebackType | None = None

    async def value(self) -> object:
        """All of it, once: the layers, the handler, and the middleware around what it has asked to follow."""
        try:
            await self._go_on(0)
        except Exception as error:
            if self.error is None:
                raise
            if error is not self.shown:
                _log.warning("task %s: %s; the handler's error stands", self._attempt.task_id, error)
        if self.error is not None:
            raise self.error.with_traceback(self.trace)
        self._at = len(self._middleware) + 1
        await self._core.follow()
        return self._result

    @property
    def at_work(self) -> str:
        """Whose turn it is."""
        layers = [type(each).__qualname__ for each in self._middleware]
        return layers[self._at] if self._at < len(layers) else "the middleware around its follow-ups"

    def too_slow(self) -> MiddlewareFailed:
        """What an attempt fails with whose middleware takes too long."""
        allowed = self._core.patience.allowed / 1e6
        return MiddlewareFailed(
            expected=f"the middleware around task '{self._attempt.task}' to end within {allowed:g} s",
            found=f"no end of {self.at_work}",
            do="Give what it waits for a timeout, or raise the worker's `middleware_limit` or the `hard_time_limit`.",
        )

    async def _go_on(self, index: int) -> None:
        self._at = index
        if index == len(self._middleware):
            await self._run()
            return
        middleware = self._middleware[index]
        try:
            await middleware.around_attempt(self._attempt, partial(self._go_on, index + 1))
        except Exception as error:
            if error is self.shown or isinstance(error, MiddlewareFailed):
                raise
            raise self._failed(middleware, type(error).__name__) from error
        finally:
            self._went_out(index)
        if not self._ended:
            raise self._failed(middleware, "a return without the handler having run")

    async def _run(self) -> None:
        if self._began:
            raise RuntimeError("`call_next` was called twice, and a handler runs once")
        self._began = True
        self._core.patience.begin_handler()
        try:
            self._result = await self._core.handler()
        except Judged as error:
            self.error, self.trace, self.shown = error, error.__traceback__, shown(error)
            raise self.shown from None
        except BaseException as error:
            self.error, self.trace, self.shown = error, error.__traceback__, error
            raise
        finally:
            self._core.patience.end_handler(self._core.left())
            self._ended = True
            self._at = len(self._middleware) - 1

    def _went_out(self, index: int) -> None:
        """A layer has ended, by itself: when it is cancelled, it stays the one that did not end."""
        if not self._core.patience.is_over:
            self._at = max(0, index - 1)

    def _failed(self, middleware: AroundAttempt, found: str) -> MiddlewareFailed:
        return MiddlewareFailed(
            expected=f"the middleware around task '{self._attempt.task}' to run its handler once, and to end well",
            found=f"{found} from {type(middleware).__qualname__}",
            do="Correct the middleware; the cause is in the traceback. The attempt counts as one that failed.",
        )


async def _answer(middleware: OnError, attempt: Attempt, error: Exception, clock: Clock) -> Instead | None:
    name = type(middleware).__qualname__
    asking = asyncio.ensure_future(middleware.on_error(attempt, error))
    timer = asyncio.ensure_future(clock.sleep(_LONGEST_ANSWER))
    await asyncio.wait((asking, timer), return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    if not asking.done() or asking.cancelled():
        asking.cancel()
        _log.warning("task %s: %s.on_error gave no answer within 5 s", attempt.task_id, name)
        return None
    raised = asking.exception()
    answer = None if raised else cast("object", asking.result())
    if raised is not None or not isinstance(answer, RetryLater | GiveUp | None):
        _log.warning("task %s: %s.on_error decides nothing: %r", attempt.task_id, name, answer, exc_info=raised)
        return None
    return answer
