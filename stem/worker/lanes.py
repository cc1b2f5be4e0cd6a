"""Runs a handler where it belongs, under its time limits: on the loop or in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from stem.clock import Clock
from stem.errors import SoftTimeLimit
from stem.worker.held import Held
from stem.worker.run import Job, Lane, Threads
from stem.worker.time_limits import Interruptible, Run, TimeLimits

__all__ = ["Lanes"]

_log: Final = logging.getLogger("stem.worker")


class Lanes:
    """Every way to run a handler but the short one: a coroutine on the loop without a limit is simply awaited."""

    def __init__(self, threads: Threads, *, clock: Clock) -> None:
        self._threads = threads
        self._clock = clock

    async def call(self, held: Held, job: Job, call: Callable[[], object]) -> object:
        """The handler's value or its error. Raises `HardTimeLimit` at the hard limit."""
        if job.limits is None:
            return await self._threads.call(held, job, call)
        return await self._limited(held, job, call, job.limits)

    async def _limited(self, held: Held, job: Job, call: Callable[[], object], limits: TimeLimits) -> object:
        held.deadline = limits.deadline(self._clock)
        if job.lane is Lane.LOOP:
            inside = Interruptible(cast("Coroutine[Any, Any, object]", call()))
            run = Run(held, inside.work, inside.interrupt, clock=self._clock)
        else:
            work = asyncio.ensure_future(self._threads.call(held, job, call))
            run = Run(held, work, lambda _: _warn(held), clock=self._clock)
        return await run.outcome(limits)


def _warn(held: Held) -> None:
    delivery = held.delivery
    _log.warning(
        "task %s (%s) is over its soft time limit; ctx.cancelled says so (%s)",
        delivery.fence.task_id,
        delivery.name,
        SoftTimeLimit.code,
    )
