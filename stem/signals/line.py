"""The line of events on their way: one call at a time, in order, bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Final, TypeAlias

from stem.clock import Clock, Micros
from stem.signals.calls import CallThread, error_of
from stem.signals.events import Event
from stem.signals.listener import Listener, Sayer
from stem.signals.waiting import MOST_WAITING, Pair, Waiting

__all__ = ["LONGEST_CALL", "Line"]

LONGEST_CALL: Final[Micros] = 5_000_000
"""How long one handler may take for one event."""
_REST: Final[Micros] = 60_000_000
"""How long a handler that took too long is left out, so that it holds up the others seldom."""
_TURN: Final[Micros] = 3_000
"""After how long the loop is left to others."""

_Unfinished: TypeAlias = tuple[Listener, Callable[[], object]] | None


@dataclass(slots=True, eq=False)
class _Call:
    """The call under way."""

    listener: Listener
    began: Micros
    given_up: bool = False


class Line:
    """Calls handlers on the loop that opened it, and plain ones in a thread: the first event first.

    A handler that raises is logged. One that takes longer than `longest` is given up, and left out for a minute and
    until its call has ended. Any thread may `put`.
    """

    def __init__(self, clock: Clock, *, longest: Micros = LONGEST_CALL, most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._clock = clock
        self._longest = longest
        self._sayer = Sayer(clock)
        self._waiting = Waiting(most)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._home = 0
        self._context = contextvars.copy_context()
        self._runner: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._call: _Call | None = None
        self._thread: CallThread | None = None
        self._working: Future[_Unfinished] | None = None
        """What the thread does."""

    def open(self) -> None:
        """Deliver on the running loop from now on."""
        self.forget()
        self._lock = threading.Lock()  # the one of a process that was forked may be held for ever
        self._loop, self._home = asyncio.get_running_loop(), threading.get_ident()
        self._context = contextvars.copy_context()

    def put(self, event: Event, listeners: Sequence[Listener]) -> None:
        """Line the event up for those; drop it, counted, when the line is full or closed."""
        loop = self._loop
        if loop is None or not self._waiting.add(event, listeners):
            self.dropped += 1
            self._sayer.dropped(self.dropped)
            return
        if threading.get_ident() == self._home:
            self._go_on()
        else:
            with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
                loop.call_soon_threadsafe(self._go_on)

    async def drain(self) -> None:
        """Return when everything is delivered, or after as long as one handler may take."""
        timer = asyncio.ensure_future(self._clock.sleep(self._longest))
        while not timer.done() and (runner := self._go_on()) is not None:
            await asyncio.wait((runner, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()

    async def finish(self) -> None:
        """Drain; of what waits even then, deliver what tells of a worker's life, and drop the rest."""
        await self.drain()
        with self._lock:
            self.dropped += self._waiting.leave_life()
        await self.drain()

    def close(self) -> None:
        """Deliver nothing more; what still waits is dropped."""
        self.dropped += self._waiting.clear()
        for task in (self._runner, self._watcher):
            if task is not None:
                task.cancel()
        if self._thread is not None:
            self._thread.end()
        self.forget()

    def forget(self) -> None:
        """Let go of a loop that is closed, or of another process's."""
        self._waiting.clear()
        if self._call is not None:
            self._call.given_up = True
        self._loop = self._runner = self._watcher = self._call = self._thread = self._working = None

    def _go_on(self) -> asyncio.Task[None] | None:
        """Start what delivers, if it does not; `None` when there is nothing to deliver."""
        if self._runner is not None and not self._runner.done():
            return self._runner
        if self._loop is None or not self._waiting:
            return None
        self._runner = self._loop.create_task(self._run(), name="stem-signals", context=self._context.copy())
        self._loop.call_soon(self._watch_over, self._runner)
        return self._runner

    def _watch_over(self, runner: asyncio.Task[None]) -> None:
        """Handlers that wait for nothing have ended by now, and need nobody who watches them."""
        if self._loop is not None and not runner.done() and (self._watcher is None or self._watcher.done()):
            self._watcher = self._loop.create_task(self._watch(), name="stem-signals-watch")

    async def _run(self) -> None:
        me, until = asyncio.current_task(), self._clock.elapsed() + _TURN
        while self._waiting and self._runner is me:
            if self._waiting.first_is_plain:
                await self._call_there()
            else:
                event, listener = self._waiting.take()
                if self._is_for(listener, event):
                    await self._call_here(listener, partial(listener.handler, event))
            if self._clock.elapsed() >= until:
                await asyncio.sleep(0)
                until = self._clock.elapsed() + _TURN

    async def _call_here(self, listener: Listener, work: Callable[[], object]) -> None:
        call = self._begin(listener)
        self._end(call, await error_of(work))

    async def _call_there(self) -> None:
        """Have the thread call the plain ones, by itself, for as long as one comes next: the loop may be busy."""
        self._thread = self._thread or CallThread()
        self._working = self._thread.call(partial(self._call_plain, self._thread))
        unfinished = await asyncio.wrap_future(self._working)
        if unfinished is not None:  # a `def` that gives a coroutine back
            await self._call_here(*unfinished)

    def _call_plain(self, me: CallThread) -> _Unfinished:
        """In the thread: call one after the other, until none is next, or one has to be awaited on the loop."""
        while (pair := self._next_plain(me)) is not None:
            event, listener = pair
            if not self._is_for(listener, event):
                continue
            call = self._begin(listener)
            value, error = _outcome(listener, event)
            if not self._end(call, error):
                return None
            if isawaitable(value):
                return listener, partial(_itself, value)
        return None

    def _next_plain(self, me: CallThread) -> Pair | None:
        with self._lock:
            return self._waiting.take() if self._thread is me and self._waiting.first_is_plain else None

    def _begin(self, listener: Listener) -> _Call:
        if listener.once:
            listener.cancel()
        self._call = call = _Call(listener, self._clock.elapsed())
        return call

    def _end(self, call: _Call, error: BaseException | None) -> bool:
        """The call has ended; whether it did so in time."""
        with self._lock:
            if call.given_up:
                return False
            self._call = None
        if error is not None:
            self._sayer.wrong(call.listener, "raised", error)
        return True

    def _is_for(self, listener: Listener, event: Event) -> bool:
        if not listener.is_connected or not self._holds(listener, event):
            return False
        if listener.goes_on is not None and not listener.goes_on():
            listener.goes_on = None
        if listener.goes_on is None and listener.rests_until <= self._clock.elapsed():
            return True
        listener.missed += 1
        return False

    def _holds(self, listener: Listener, event: Event) -> bool:
        try:
            return listener.where is None or listener.where(event)
        except Exception as error:  # noqa: BLE001  # a predicate is the listener's code
            self._sayer.wrong(listener, "`where` raised", error)
            return False

    async def _watch(self) -> None:
        """Give up what takes too long, as long as there is something to deliver."""
        while self._runner is not None and not self._runner.done():
            call = self._call
            left = self._longest if call is None else call.began + self._longest - self._clock.elapsed()
            if call is not None and left <= 0:
                self._give_up(call, self._runner)
            else:
                await self._clock.sleep(left)

    def _give_up(self, call: _Call, runner: asyncio.Task[None]) -> None:
        """Go on without it, with another runner and, where it is in the thread, another thread."""
        with self._lock:
            if self._call is not call:
                return
            call.given_up, self._call = True, None
        working, self._working = self._working, None
        if self._thread is not None and working is not None and not working.done():
            self._thread.end()
            self._thread = None
        runner.cancel()
        self._runner = None
        listener = call.listener
        listener.goes_on = lambda: not runner.done() or (working is not None and not working.done())
        listener.rests_until = self._clock.elapsed() + _REST
        self._sayer.wrong(listener, f"took longer than {self._longest / 1e6:g} s and is left out for a minute")
        self._go_on()


def _itself(value: object) -> object:
    return value


def _outcome(listener: Listener, event: Event) -> tuple[object, BaseException | None]:
    try:
        return listener.handler(event), None
    except BaseException as error:  # noqa: BLE001  # it is the handler's error, not the thread's
        return None, error
