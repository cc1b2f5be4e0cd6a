"""How long an attempt may run, and what happens at its soft and at its hard limit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from stem.clock import Clock, Micros, to_micros
from stem.errors import HardTimeLimit, SoftTimeLimit
from stem.tasks.options import HandlerOptions
from stem.worker.contained import contain, seen, value_of
from stem.worker.held import Held

__all__ = ["Interruptible", "Run", "TimeLimits", "limits_of", "soft_error"]

END_GRACE: Final[Micros] = 1_000_000
"""How long work that was cancelled at its hard limit has to end, before its attempt is decided without it."""

_log: Final = logging.getLogger("stem.worker")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The limits of one task; at least one of them is set, and the soft one comes first."""

    soft: Micros | None
    hard: Micros | None

    @property
    def last(self) -> Micros:
        """How long an attempt has, all in all."""
        return self.hard or self.soft or 0

    def deadline(self, clock: Clock, spent: Micros) -> Micros:
        """When an attempt must be over, by the wall clock, whose handler begins now after `spent` in middleware."""
        return clock.now() + self.last - (0 if self.hard is None else spent)


def limits_of(options: HandlerOptions) -> TimeLimits | None:
    """The limits that a handler's decorator sets; `None` without any."""
    soft, hard = options.soft_time_limit, options.hard_time_limit
    if soft is None and hard is None:
        return None
    return TimeLimits(None if soft is None else to_micros(soft), None if hard is None else to_micros(hard))


def soft_error(task: str, limit: Micros) -> SoftTimeLimit:
    """What is raised inside a handler at its soft limit."""
    return SoftTimeLimit(
        expected=f"an attempt of task '{task}' to end within its soft limit of {limit / 1e6:g} s",
        found="one that still runs",
        do="Catch SoftTimeLimit to save what was done, do less in one task, or raise soft_time_limit.",
    )


def hard_error(task: str, limit: Micros) -> HardTimeLimit:
    """What an attempt fails with at its hard limit."""
    return HardTimeLimit(
        expected=f"an attempt of task '{task}' to end within its hard limit of {limit / 1e6:g} s",
        found="one that still ran, and was stopped",
        do="Do less in one task, or raise hard_time_limit.",
    )


class Run:
    """One handler at work under its limits; `work` is what runs it, `soften` what its soft limit does.

    At the hard limit the work is cancelled, which stops a coroutine, lets go of a thread and kills a child process.
    Work that goes on all the same keeps its slot until it ends; its attempt is decided without it.
    """

    def __init__(
        self, held: Held, work: asyncio.Task[object], soften: Callable[[SoftTimeLimit], None], *, clock: Clock
    ) -> None:
        self._held = held
        self._work = work
        self._soften = soften
        self._clock = clock
        self._ending = False

    async def outcome(self, limits: TimeLimits) -> object:
        """The handler's value or its error. Raises `HardTimeLimit` at the hard limit, whatever the handler does."""
        watching = asyncio.ensure_future(self._watch(limits))
        try:
            await asyncio.wait((self._work, watching), return_when=asyncio.FIRST_COMPLETED)
            if self._ending or watching.done():
                await watching
            await asyncio.wait((self._work,))
        except asyncio.CancelledError:
            self._work.cancel()
            await asyncio.wait((self._work,))
            seen(self._work)
            raise
        finally:
            watching.cancel()
        return value_of(self._work.result())

    async def _watch(self, limits: TimeLimits) -> None:
        spent = self._held.spent
        if limits.soft is not None and (limits.hard is None or spent + limits.soft < limits.hard):
            await self._clock.sleep(limits.soft)
            spent += limits.soft
            if not self._work.done():
                self._held.overdue = True
                self._soften(soft_error(self._held.delivery.name, limits.soft))
        if limits.hard is not None:
            await self._clock.sleep(limits.hard - spent)
            await self._end(limits.hard)

    async def _end(self, limit: Micros) -> None:
        """Stop the work, and raise; nothing when it ended by itself in the last moment."""
        if self._work.done():
            return
        self._ending = self._held.overdue = True
        self._work.cancel()
        timer = asyncio.ensure_future(self._clock.sleep(END_GRACE))
        await asyncio.wait((self._work, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        self._work.add_done_callback(seen)
        if not self._work.done():
            _log.warning("task %s goes on after its hard time limit; it keeps its slot", self._held.fence.task_id)
            self._held.work = self._work
        raise hard_error(self._held.delivery.name, limit)


class _Interruption(SoftTimeLimit, asyncio.CancelledError):
    """`SoftTimeLimit` as it is raised inside: libraries that clean up after a cancellation clean up after this too."""


class Interruptible:
    """Awaits a coroutine into which, once, a `SoftTimeLimit` can be raised wherever it waits."""

    def __init__(self, coroutine: Coroutine[Any, Any, object]) -> None:
        self._coroutine = coroutine
        self._pending: SoftTimeLimit | None = None
        self.work: asyncio.Task[object] = asyncio.ensure_future(contain(self._finish()))

    def interrupt(self, error: SoftTimeLimit) -> None:
        """Raise it inside, at the next turn of the loop."""
        self._pending = error
        self.work.cancel()

    async def _finish(self) -> object:
        try:
            return await self
        except _Interruption as error:  # a task that ends with a kind of CancelledError would count as cancelled
            raise _plain(error) from None

    def __await__(self) -> Generator[Any, None, object]:
        step = partial(self._coroutine.send, None)
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                return cast("object", end.value)
            try:
                yield waits_for
                step = partial(self._coroutine.send, None)
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the coroutine
                step = partial(self._coroutine.throw, self._translated(error))

    def _translated(self, error: BaseException) -> BaseException:
        """The soft limit in place of the cancellation that brought it."""
        pending = self._pending
        if pending is None or not isinstance(error, asyncio.CancelledError):
            return error
        self._pending = None
        if self.work.uncancel() > 0:
            return error  # cancelled for good meanwhile
        return _Interruption(expected=pending.expected, found=pending.found, do=pending.do)


def _plain(error: SoftTimeLimit) -> SoftTimeLimit:
    return SoftTimeLimit(expected=error.expected, found=error.found, do=error.do).with_traceback(error.__traceback__)
