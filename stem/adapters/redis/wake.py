"""Who listens hears of commits: in this process by a call, in others by one message a batch, and by a poll beneath."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from stem.adapters.redis import driver
from stem.adapters.redis.connection import Server
from stem.adapters.redis.errors import DRIVER_ERRORS
from stem.adapters.redis.lease import read_handed
from stem.adapters.redis.lines import Wire
from stem.adapters.redis.scripts import KEYS
from stem.codec import load_value
from stem.contracts.store import Listener, Notice
from stem.errors import StemError

__all__ = ["Ear", "Wake"]

POLL_SECONDS: Final = 1.0
SLOW_POLL_SECONDS: Final = 15.0
"""While it is subscribed, which tells of itself when it ends: an idle worker asks once a second in all."""
_SILENCE: Final = 15.0
"""Seconds without a message after which the connection is asked whether it lives."""
_FIRST_PAUSE: Final = 0.05
_NOTHING: Final = Notice()
_EVERYTHING: Final = Notice(everything=True)
_NUMBERS: Final = KEYS.index("numbers")
_LOG = logging.getLogger(__name__)


class Wake:
    """The listeners of one store; one connection that is subscribed while somebody listens.

    Each batch that has news gets a number at the server. `origin` marks the messages of this store, which has told
    its own listeners already.
    """

    def __init__(self, server: Server, origin: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._origin = origin.encode()
        self._ear = server.ear(origin)
        self._ear_raw = self._ear.encode()
        self._listeners: dict[object, Listener] = {}
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._ending: set[asyncio.Task[None]] = set()
        self._subscribed = False
        self._is_told = True
        self._heard = 0
        self._heard_at = 0.0

    @property
    def has_listeners(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self._listeners)

    def listen(self, listener: Listener) -> Ear:
        """Add a listener; may be called in any thread."""
        key = object()
        self._listeners[key] = listener
        self._on_loop(self._start)
        return Ear(lambda: self._forget(key))

    def heed_own(self) -> None:
        """From now on hear of this store's own commits over the server too: the answer to one will not be read."""
        self._is_told = False

    def tell(self, notice: Notice) -> None:
        """Call every listener."""
        if notice != _NOTHING:
            for listener in tuple(self._listeners.values()):
                listener(notice)

    async def aclose(self) -> None:
        """Fall silent; called on the loop. A wait that has just ended can swallow that its task is cancelled."""
        self._listeners.clear()
        self._stop()
        while self._ending:
            for task in self._ending:
                task.cancel()
            await asyncio.wait(self._ending, timeout=_FIRST_PAUSE)

    def _forget(self, key: object) -> None:
        self._listeners.pop(key, None)
        if not self._listeners and not self._loop.is_closed():
            self._on_loop(self._stop)

    def _on_loop(self, step: Callable[[], None]) -> None:
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            step()
        else:
            self._loop.call_soon_threadsafe(step)

    def _start(self) -> None:
        if not self._tasks and self._listeners:
            create = self._loop.create_task
            self._tasks = (
                create(self._hear_always(), name="stem-redis-hear"),
                create(self._poll(), name="stem-redis-poll"),
            )

    def _stop(self) -> None:
        if not self._listeners:
            for task in self._tasks:
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
                task.cancel()
            self._tasks = ()

    async def _hear_always(self) -> None:
        """Subscribe, and again whenever the connection is lost; what was missed meanwhile is told as everything."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._hear()
            except DRIVER_ERRORS as error:
                self._server.route.heed(error)
                if self._subscribed:
                    pause = _FIRST_PAUSE
                    _LOG.info("lost the notices of %s: %s", self._server.place, error)
            finally:
                self._subscribed = False
            await asyncio.sleep(pause)
            pause = min(2 * pause, POLL_SECONDS)

    async def _hear(self) -> None:
        route = self._server.route
        self._heard_at = self._loop.time()
        wire = Wire(await driver.open_stream(route), route.place.timeout, self._take)
        try:
            wire.tell("SUBSCRIBE", self._server.channel, self._ear)
            await self._watch(wire)
        finally:
            wire.close()

    async def _watch(self, wire: Wire) -> None:
        """Raise what ends the subscription: a connection that is lost, a server that does not answer in time."""
        asked, patience = True, self._server.place.timeout
        while True:
            before = self._heard_at
            ended, _ = await asyncio.wait((wire.over,), timeout=patience)
            if ended:
                raise wire.over.result()
            silent = self._heard_at == before
            if silent and asked:
                raise TimeoutError("the server has fallen silent")
            asked, patience = silent, self._server.place.timeout if silent else _SILENCE
            if silent:
                wire.tell("PING")

    def _take(self, message: list[Any]) -> None:
        """One answer of the subscribed connection: that it is one, a message, or a sign of life."""
        self._heard_at = self._loop.time()
        if message[0] == b"subscribe":
            if message[1] == self._ear_raw:  # the last of both
                self._subscribed = True
                self.tell(_EVERYTHING)
        elif message[0] == b"message" and message[1] == self._ear_raw:
            self.tell(Notice(handed=read_handed(message[2])))
        elif message[0] == b"message":
            self._receive(message[2])

    def _receive(self, data: bytes) -> None:
        number, _, rest = data[len(self._origin) :].partition(b"\n")
        self._heard = max(self._heard, int(number))
        if self._is_told and data.startswith(self._origin):
            return
        text, _, blobs = rest.partition(b"\n")
        news = load_value(text)
        if news.get("e"):
            self.tell(_EVERYTHING)
        else:
            tasks, channels = tuple(news.get("t", ())), frozenset(news.get("c", ()))
            results = _results(tasks, news.get("r", ()), blobs)
            self.tell(Notice(frozenset(news.get("q", ())), tasks, channels=channels, results=results))

    async def _poll(self) -> None:
        """One small question: whether the server has told more than was heard when it was asked last."""
        seen: int | None = None
        while True:
            with suppress(StemError):
                number = int(await self._server.command("HGET", self._server.keys[_NUMBERS], "seq") or 0)
                missed = seen is not None and (self._heard < seen if self._subscribed else number != seen)
                if seen is None or number < self._heard or missed:
                    self._heard = number
                if missed:
                    self.tell(_EVERYTHING)
                seen = number
            await asyncio.sleep(SLOW_POLL_SECONDS if self._subscribed else POLL_SECONDS)


class Ear:
    """A subscription."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._forget()


def _results(tasks: Sequence[str], sizes: Sequence[int], blobs: bytes) -> dict[str, bytes]:
    """The results behind the news, by task."""
    results: dict[str, bytes] = {}
    at = 0
    for task, size in zip(tasks, sizes, strict=False):
        if size >= 0:
            results[task] = blobs[at : at + size]
            at += size
    return results
