"""The middleware around an attempt: it sees the handler run and fail, and decides nothing but what it may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Final, cast

from stem.clock import Clock, Micros
from stem.contracts.store import Delivery
from stem.errors import MiddlewareFailed
from stem.signals.middleware import AroundAttempt, Attempt, GiveUp, Instead, OnError, RaisedElsewhere, RetryLater
from stem.tasks.envelope import Header
from stem.worker.decide import Judged

__all__ = ["ask", "attempt_of", "run_around"]

_LONGEST_ANSWER: Final[Micros] = 5_000_000

_log: Final = logging.getLogger("stem.worker")


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


async def run_around(
    middleware: Sequence[AroundAttempt], attempt: Attempt, handler: Callable[[], Awaitable[object]]
) -> object:
    """The handler's value or its own error, whatever the middleware makes of it.

    Raises `MiddlewareFailed` where the handler was not run, or has succeeded and a middleware raises.
    """
    onion = _Onion(middleware, attempt, handler)
    try:
        await onion.go_on(0)
    except Exception as error:
        if onion.error is None:
            raise
        if error is not onion.shown:
            _log.warning("task %s: %s; the handler's error stands", attempt.task_id, error)
    if onion.error is not None:
        raise onion.error.with_traceback(onion.trace)
    return onion.value


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
    def __init__(
        self, middleware: Sequence[AroundAttempt], attempt: Attempt, handler: Callable[[], Awaitable[object]]
    ) -> None:
        self._middleware = middleware
        self._attempt = attempt
        self._handler = handler
        self._began = False
        self.value: object = None
        self.error: BaseException | None = None
        self.shown: BaseException | None = None
        """The error as middleware sees it."""
        self.trace: TracebackType | None = None

    async def go_on(self, index: int) -> None:
        if index == len(self._middleware):
            await self._run()
            return
        middleware = self._middleware[index]
        try:
            await middleware.around_attempt(self._attempt, partial(self.go_on, index + 1))
        except Exception as error:
            if error is self.shown or isinstance(error, MiddlewareFailed):
                raise
            raise self._failed(middleware, type(error).__name__) from error
        if not self._began:
            raise self._failed(middleware, "a return without the handler having run")

    async def _run(self) -> None:
        if self._began:
            raise RuntimeError("`call_next` was called twice, and a handler runs once")
        self._began = True
        try:
            self.value = await self._handler()
        except Judged as error:
            self.error, self.trace, self.shown = error, error.__traceback__, shown(error)
            raise self.shown from None
        except BaseException as error:
            self.error, self.trace, self.shown = error, error.__traceback__, error
            raise

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
