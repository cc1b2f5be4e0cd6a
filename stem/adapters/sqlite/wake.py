"""Who listens hears of commits: in this process by a call, in others by a datagram, and under both by a slow poll."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from stem.adapters.sqlite.sockets import Peers
from stem.contracts.store import Listener, Notice
from stem.errors import StoreError

__all__ = ["POLL_SECONDS", "Wake"]

POLL_SECONDS: Final = 0.25
_LONGEST_TRUST: Final = 8
"""Polls for which datagrams are taken as a sign that none is lost."""
_NOTHING: Final = Notice()
_EVERYTHING: Final = Notice(everything=True)


class Wake:
    """The listeners of one store, and its socket beside the database file while somebody listens.

    `read_version` answers a number that changes when another connection has committed.
    """

    def __init__(
        self, peers: Peers, read_version: Callable[[], Awaitable[int]], *, every: float = POLL_SECONDS
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._peers = peers
        self._read_version = read_version
        self._listeners: dict[object, Listener] = {}
        self._socket: socket.socket | None = None
        self._poll: asyncio.Task[None] | None = None
        self._every = every
        self._heard = False

    def listen(self, listener: Listener) -> Ear:
        """Add a listener; may be called in any thread."""
        key = object()
        self._listeners[key] = listener
        self._on_loop(self._start)
        return Ear(lambda: self._forget(key))

    def tell(self, notice: Notice) -> None:
        """Tell everybody of a commit of this process; called on the loop."""
        if notice != _NOTHING:
            self._call(notice)
            self._peers.send(notice)

    def close(self) -> None:
        """Fall silent; called on the loop."""
        self._listeners.clear()
        self._stop()
        self._peers.close()

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

    def _call(self, notice: Notice) -> None:
        for listener in tuple(self._listeners.values()):
            listener(notice)

    def _start(self) -> None:
        if self._poll is not None or not self._listeners:
            return
        self._poll = self._loop.create_task(self._look_now_and_then())
        self._socket = self._peers.bind()
        if self._socket is not None:
            with suppress(NotImplementedError):  # the loop of Windows has no readers: the poll has to do
                self._loop.add_reader(self._socket, self._receive)

    def _stop(self) -> None:
        if self._listeners:
            return
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        if self._socket is not None:
            with suppress(NotImplementedError):
                self._loop.remove_reader(self._socket)
            self._peers.unbind(self._socket)
            self._socket = None

    def _receive(self) -> None:
        for notice in self._peers.receive(self._socket):
            self._heard = True
            self._call(notice)

    async def _look_now_and_then(self) -> None:
        """The slow poll: one notice for all, unless datagrams seem to have told everything already."""
        seen: int | None = None
        untold = waited = 0
        while True:
            with suppress(StoreError):
                version = await self._read_version()
                untold += seen is not None and version != seen
                seen = version
            waited = waited + 1 if untold else 0
            if untold and (not self._heard or waited > _LONGEST_TRUST):
                untold = waited = 0
                self._call(_EVERYTHING)
            self._heard = False
            await asyncio.sleep(self._every)


class Ear:
    """A subscription."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._forget()
