"""Runs a handler where it belongs, under its time limits: on the loop, in a thread, in a child process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from stem.clock import Clock
from stem.errors import SoftTimeLimit
from stem.tasks.context import AttemptControls
from stem.tasks.envelope import Envelope
from stem.worker.contained import contain
from stem.worker.held import Held
from stem.worker.process.apart import begin_of
from stem.worker.process.pool import Children
from stem.worker.run import Job, Lane, Threads
from stem.worker.time_limits import Interruptible, Run, TimeLimits

__all__ = ["Lanes"]

_log: Final = logging.getLogger("stem.worker")


class Lanes:
    """Every way to run a handler but the short one: a coroutine on the loop without a limit is simply awaited."""

    def __init__(self, threads: Threads, children: Children | None, *, clock: Clock) -> None:
        self._threads = threads
        self._children = children
        self._clock = clock

    async def call(self, held: Held, job: Job, call: Callable[[], object]) -> object:
        """The handler's value or its error. Raises `HardTimeLimit` at the hard limit."""
        if job.limits is None:
            return await self._threads.call(held, job, call)
        return await self._limited(held, job, call, job.limits)

    async def apart(self, held: Held, job: Job, envelope: Envelope, controls: AttemptControls | None) -> object:
        """The encoded result of a handler in a child process. Its time begins when a child is ready for it."""
        assert job.apart is not None
        assert self._children is not None
        async with self._children.one() as child:
            limits = job.limits
            held.deadline = None if limits is None else limits.deadline(self._clock, held.spent)
            held.on_cancel = child.cancel
            running = child.run(begin_of(job.apart, held, envelope), controls)
            try:
                if limits is None:
                    return await running
                soft = limits.soft or 0
                run = Run(held, asyncio.ensure_future(running), lambda _: child.soften(soft), clock=self._clock)
                return await run.outcome(limits)
            finally:
                held.on_cancel = None  # the child may be another attempt's next

    async def _limited(self, held: Held, job: Job, call: Callable[[], object], limits: TimeLimits) -> object:
        held.deadline = limits.deadline(self._clock, held.spent)
        if job.lane is Lane.LOOP:
            inside = Interruptible(cast("Coroutine[Any, Any, object]", call()))
            run = Run(held, inside.work, inside.interrupt, clock=self._clock)
        else:
            work = asyncio.ensure_future(contain(self._threads.call(held, job, call)))
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
