"""The line of events on their way: one at a time, in order, bounded in number and in time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from stem.clock import Clock, Micros
from stem.signals.calls import Calls, Running, name_of
from stem.signals.events import Event

__all__ = ["LONGEST_CALL", "MOST_WAITING", "Line", "Listener"]

LONGEST_CALL: Final[Micros] = 5_000_000
"""How long one handler may take for one event."""
MOST_WAITING: Final = 10_000
"""How many events may wait for their delivery; what comes then is dropped and counted."""
_REST: Final[Micros] = 60_000_000
"""How long a handler that took too long is left out, so that it holds up the others seldom."""
_SAY_EVERY: Final[Micros] = 10_000_000

_log: Final = logging.getLogger("stem.signals")


@dataclass(slots=True, eq=False)
class Listener:
    """A connected handler, and how it stands."""

    handler: Callable[[Any], object]
    accepts: Callable[[Event], bool]
    """Cheap, and ours: decides before an event is lined up."""
    where: Callable[[Any], bool] | None
    priority: int
    once: bool
    leave: Callable[[Listener], None]
    is_connected: bool = True
    missed: int = 0
    errors: int = 0
    running: Running | None = None
    """A call that was given up, and may still go on."""
    rests_until: Micros = 0
    said_at: Micros | None = None

    def cancel(self) -> None:
        """Hear nothing more."""
        if self.is_connected:
            self.is_connected = False
            self.leave(self)


class Line:
    """Delivers events on the loop that opened it: the first in is the first out, to the highest priority first.

    A handler that raises is logged. One that takes longer than `longest` is given up and left out for a minute, and
    until its call has ended. Any thread may `put`.
    """

    def __init__(self, clock: Clock, *, longest: Micros = LONGEST_CALL, most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._clock = clock
        self._longest = longest
        self._most = most
        self._waiting: deque[tuple[Event, Sequence[Listener]]] = deque()
        self._calls = Calls()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._runner: asyncio.Task[None] | None = None
        self._said_at: Micros | None = None

    def open(self) -> None:
        """Deliver on the running loop from now on."""
        self.forget()
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    def put(self, event: Event, listeners: Sequence[Listener]) -> None:
        """Line the event up for those; drop it, counted, when the line is full or closed."""
        loop = self._loop
        if loop is None or len(self._waiting) >= self._most:
            self._drop()
            return
        self._waiting.append((event, listeners))
        if threading.get_ident() == self._thread:
            self._go_on()
        else:
            with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
                loop.call_soon_threadsafe(self._go_on)

    async def drain(self) -> None:
        """Return when everything is delivered, or after as long as one handler may take."""
        if self._runner is not None and not self._runner.done():
            timer = asyncio.ensure_future(self._clock.sleep(self._longest))
            await asyncio.wait((self._runner, timer), return_when=asyncio.FIRST_COMPLETED)
            timer.cancel()

    def close(self) -> None:
        """Deliver nothing more; what still waits is dropped."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        if self._runner is not None:
            self._runner.cancel()
        self._calls.close()
        self._loop = self._runner = None

    def forget(self) -> None:
        """Let go of a loop that is closed, or of another process's."""
        self._waiting.clear()
        self._calls = Calls()
        self._loop = self._runner = None

    def _go_on(self) -> None:
        if self._loop is not None and (self._runner is None or self._runner.done()):
            self._runner = self._loop.create_task(self._run(), name="stem-signals")

    async def _run(self) -> None:
        while self._waiting:
            event, listeners = self._waiting.popleft()
            for listener in listeners:
                if self._is_for(listener, event):
                    await self._deliver(listener, event)
            await asyncio.sleep(0)  # handlers that wait for nothing leave the loop to the tasks, too

    def _is_for(self, listener: Listener, event: Event) -> bool:
        if not listener.is_connected or not self._holds(listener, event):
            return False
        if listener.running is not None and listener.running.is_over:
            listener.running = None
        if listener.running is None and listener.rests_until <= self._clock.elapsed():
            return True
        listener.missed += 1
        return False

    def _holds(self, listener: Listener, event: Event) -> bool:
        try:
            return listener.where is None or listener.where(event)
        except Exception as error:  # noqa: BLE001  # a predicate is the listener's code
            self._say(listener, "`where` raised", error)
            return False

    async def _deliver(self, listener: Listener, event: Event) -> None:
        if listener.once:
            listener.cancel()
        running = self._calls.begin(listener.handler, event)
        if await self._ends_in_time(running.task):
            error = None if running.task.cancelled() else running.task.result()
            if error is not None:
                self._say(listener, "raised", error)
            return
        self._calls.give_up(running)
        listener.running = running
        listener.rests_until = self._clock.elapsed() + _REST
        self._say(listener, f"took longer than {self._longest / 1e6:g} s and is left out for a minute", None)

    async def _ends_in_time(self, task: asyncio.Task[BaseException | None]) -> bool:
        await asyncio.sleep(0)
        if not task.done():
            timer = asyncio.ensure_future(self._clock.sleep(self._longest))
            await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
            timer.cancel()
        return task.done()

    def _say(self, listener: Listener, what: str, error: BaseException | None) -> None:
        """Log it, at most every 10 s for each listener."""
        listener.errors += 1
        now = self._clock.elapsed()
        if listener.said_at is None or now - listener.said_at >= _SAY_EVERY:
            listener.said_at = now
            _log.warning(
                "handler %s: %s (%d times so far)", name_of(listener.handler), what, listener.errors, exc_info=error
            )

    def _drop(self) -> None:
        self.dropped += 1
        now = self._clock.elapsed()
        if self._said_at is None or now - self._said_at >= _SAY_EVERY:
            self._said_at = now
            _log.warning("no room for more events: %d dropped so far", self.dropped)
