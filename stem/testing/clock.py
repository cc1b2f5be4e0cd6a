"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import threading
from datetime import timedelta
from typing import Final

from stem.clock import Micros, to_micros

__all__ = ["ManualClock"]

_NEW_YEAR_2026: Final[Micros] = 1_767_225_600_000_000
_TURNS: Final = 25


class ManualClock:
    """Implements `stem.clock.Clock`. Time passes only by `advance` and `run_for`; any thread may call any method."""

    def __init__(self, start: Micros = _NEW_YEAR_2026) -> None:
        self._lock = threading.Lock()
        self._now = start
        self._elapsed: Micros = 0
        self._order = 0
        self._sleepers: list[tuple[Micros, int, asyncio.Future[None]]] = []

    def now(self) -> Micros:
        """The wall clock, in microseconds since the Unix epoch."""
        return self._now

    def elapsed(self) -> Micros:
        """Microseconds that have passed; `step` does not change it."""
        return self._elapsed

    async def sleep(self, duration: Micros) -> None:
        """Return when the clock was moved by `duration` microseconds; at 0 or less after one turn of the loop."""
        if duration <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            self._order += 1
            heapq.heappush(self._sleepers, (self._elapsed + duration, self._order, future))
        await future

    def advance(self, by: float | timedelta) -> None:
        """Let `by` (seconds or a timedelta) pass at once; sleepers whose time has come wake, in order.

        They run when the loop gets its turn. One that sleeps again counts from the new time: where that matters, use
        `run_for`. Raises `ValueError` for a negative duration: for a clock that is set back there is `step`.
        """
        duration = _micros(by)
        if duration < 0:
            raise ValueError("time does not pass backwards; use step()")
        with self._lock:
            self._move_to(self._elapsed + duration)

    def step(self, by: float | timedelta) -> None:
        """Set the wall clock forward or back, as an administrator does: no time passes, nobody wakes."""
        with self._lock:
            self._now += _micros(by)

    async def run_for(self, by: float | timedelta) -> None:
        """Let `by` pass from one sleeper's time to the next, giving the loop turns to run what woke up.

        So a periodic job of this loop runs as often as its period fits. The number of turns is fixed: it cannot wait
        for other threads.
        """
        end = self._elapsed + _micros(by)
        await self._turns()
        while (due := self.next_wake()) is not None and due <= end:
            with self._lock:
                self._move_to(due)
            await self._turns()
        with self._lock:
            self._move_to(end)
        await self._turns()

    def next_wake(self) -> Micros | None:
        """The `elapsed()` at which the next sleeper wakes; `None` when nobody sleeps."""
        with self._lock:
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            return self._sleepers[0][0] if self._sleepers else None

    def _move_to(self, elapsed: Micros) -> None:
        passed = max(0, elapsed - self._elapsed)
        self._elapsed += passed
        self._now += passed
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, future = heapq.heappop(self._sleepers)
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)

    async def _turns(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _micros(by: float | timedelta) -> Micros:
    return to_micros(by if isinstance(by, timedelta) else timedelta(seconds=by))
