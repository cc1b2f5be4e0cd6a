"""What a worker does all the time: fetch, sweep, beat, tidy, listen to operators, grow and shrink."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Final

from stem.clock import to_micros
from stem.worker.autoscale import Autoscaler, Bounds
from stem.worker.beats import Beats
from stem.worker.control import ControlEar
from stem.worker.engine import Engine, Outside
from stem.worker.timing import wait_any

__all__ = ["Loops"]

_TIDY_EVERY: Final = timedelta(microseconds=250_000)

_log: Final = logging.getLogger("stem.worker")


class Loops:
    """Each in a task of its own, from the moment this is made; `failed` is told of an error that ended one of them."""

    def __init__(
        self,
        outside: Outside,
        engine: Engine,
        *,
        beats: Beats,
        ear: ControlEar,
        asked: asyncio.Event,
        failed: Callable[[BaseException], None],
    ) -> None:
        settings = outside.settings
        self._outside = outside
        self._engine = engine
        self._asked = asked
        self._failed = failed
        self.leasing: Sequence[asyncio.Task[None]] = (
            self._start("fetch", engine.fetcher.run()),
            self._start("sweep", self._sweep()),
        )
        """Those that bring work; a stop waits for them."""
        self._others = [
            self._start("beat", self._every(settings.beat_every, beats.beat)),
            self._start("tidy", self._every(_TIDY_EVERY, engine.tidy)),
            self._start("control", ear.run()),
        ]
        if settings.min_concurrency is not None:
            self._others.append(self._start("autoscale", self._autoscaler(settings.min_concurrency).run()))

    def cancel(self) -> None:
        """End all of them."""
        for task in (*self.leasing, *self._others):
            task.cancel()

    def _start(self, name: str, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine, name=f"stem-{name}")
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("the worker stops: %s raised %s: %s", task.get_name(), type(error).__name__, error)
            self._failed(error)

    async def _sweep(self) -> None:
        period = to_micros(self._outside.settings.sweep_every)
        while not self._asked.is_set():
            await self._engine.sweeper.sweep()
            await wait_any((self._asked,), self._outside.clock, period)

    async def _every(self, period: timedelta, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._outside.clock.sleep(to_micros(period))
            await action()

    def _autoscaler(self, low: int) -> Autoscaler:
        settings, outside = self._outside.settings, self._outside
        bounds = Bounds(low, settings.concurrency, to_micros(settings.max_wait))
        wake = self._engine.fetcher.slot_freed
        return Autoscaler(
            outside.store, self._engine.slots, bounds, queues=settings.queues, clock=outside.clock, resized=wake
        )
