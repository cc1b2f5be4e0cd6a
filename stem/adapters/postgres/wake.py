"""Who listens hears of commits: in this process by a call, in others by LISTEN, and under both by a slow poll."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Final, cast

import asyncpg

from stem.adapters.postgres.connection import Manner, Server, connect, hang_up
from stem.adapters.postgres.errors import DRIVER_ERRORS, is_read_only, translate
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.url import Place
from stem.contracts.store import Listener, Notice
from stem.errors import StemError

__all__ = ["POLL_SECONDS", "Wake", "decode_notice"]

POLL_SECONDS: Final = 1.0
_SLOWER: Final = 30
"""How many times as long it rests while it listens: the server says when that ends, and a poll is but for the rest."""
PATIENCE: Final = 5.0
"""Seconds for the answer of a poll: notices may be lost on a connection on which it does not come."""
_MANNER: Final = Manner(name="stem listener", steady=False, patience=PATIENCE)
_LONGEST_TRUST: Final = 8
"""Polls for which notices are taken as a sign that none is lost."""
_LENGTHS: Final = range(2, 5)
"""How many kinds of news a notice has; it leaves out, at its end, channels and results."""
_NOTHING: Final = Notice()
_EVERYTHING: Final = Notice(everything=True)
_SNAPSHOT: Final = (
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text || pg_snapshot_xmin(pg_current_snapshot())::text"
)
"""Changes when anybody has written anything on this server."""


def decode_notice(payload: str, own: str) -> Notice:
    """The notice that a statement sent; nothing for one of our own, everything for one that cannot be read."""
    try:
        sender, *news = cast("list[object]", json.loads(payload))
        if sender == own:
            return _NOTHING
        told = cast("list[list[str] | None]", news)
        if len(told) not in _LENGTHS:
            return _EVERYTHING
        queues, tasks, channels, results = told + [None] * (_LENGTHS[-1] - len(told))
        found = _results(tasks or (), cast("list[str | None]", results or ()))
        return Notice(frozenset(queues or ()), tuple(tasks or ()), channels=frozenset(channels or ()), results=found)
    except (ValueError, TypeError):
        return _EVERYTHING


def _results(tasks: Sequence[str], results: Sequence[str | None]) -> dict[str, bytes]:
    """The results in the order of the tasks, where there are any."""
    found = zip(tasks, results, strict=True) if results else ()
    return {task: bytes.fromhex(result) for task, result in found if result is not None}


class Wake:
    """The listeners of one store, and its connection that listens while there are any.

    Through a PgBouncer, and on a replica, nobody can listen; the poll alone has to do there.
    """

    def __init__(self, place: Place, server: Server, book: Book, *, every: float = POLL_SECONDS) -> None:
        self._loop = asyncio.get_running_loop()
        self._place, self._server = listening_at(place, server)
        self._book = book
        self._every = every
        self._listeners: dict[object, Listener] = {}
        self._task: asyncio.Task[None] | None = None
        self._heard = False

    def listen(self, listener: Listener) -> Ear:
        """Add a listener; may be called in any thread."""
        key = object()
        self._listeners[key] = listener
        self._on_loop(self._start)
        return Ear(lambda: self._forget(key))

    def tell(self, notice: Notice) -> None:
        """Tell the listeners of this process of a commit; called on the loop."""
        if notice != _NOTHING:
            for listener in tuple(self._listeners.values()):
                listener(notice)

    async def close(self) -> None:
        """Fall silent; called on the loop."""
        self._listeners.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

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
        if self._task is None and self._listeners:
            self._task = self._loop.create_task(self._hear(), name="stem-listen")

    def _stop(self) -> None:
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _hear(self) -> None:
        """Listen, and connect again for as long as there is somebody to tell."""
        while True:
            with suppress(StemError):
                await self._hear_over_one_connection()
            self.tell(_EVERYTHING)  # whoever can still ask the server is to ask it
            await asyncio.sleep(self._every)

    async def _hear_over_one_connection(self) -> None:
        connection = await connect(self._place, self._server, _MANNER)
        over = asyncio.Event()
        connection.add_termination_listener(lambda _: over.set())
        try:
            listens = not self._server.behind_bouncer and await self._subscribe(connection)
            self.tell(_EVERYTHING)  # what happened before this is not told by anybody
            await self._look_now_and_then(connection, over, self._every * (_SLOWER if listens else 1))
        except DRIVER_ERRORS as error:
            raise translate(error, self._place) from error
        finally:
            await hang_up(connection)

    async def _subscribe(self, connection: asyncpg.Connection) -> bool:
        try:
            await connection.add_listener(self._book.channel, self._receive)
        except asyncpg.PostgresError as error:
            if not is_read_only(error):  # a replica has no notices
                raise
            return False
        return True

    def _receive(self, _connection: asyncpg.Connection, _pid: int, _channel: str, payload: str) -> None:
        self._heard = True
        self.tell(decode_notice(payload, self._book.sender))

    async def _look_now_and_then(self, connection: asyncpg.Connection, over: asyncio.Event, every: float) -> None:
        """The slow poll: one notice for all, unless notices seem to have told everything already."""
        seen = await self._snapshot(connection)
        untold = waited = 0
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), every)
            found = await self._snapshot(connection)
            untold, seen = untold + (found != seen), found
            waited = waited + 1 if untold else 0
            if untold and (not self._heard or waited > _LONGEST_TRUST):
                untold = waited = 0
                self.tell(_EVERYTHING)
            self._heard = False

    async def _snapshot(self, connection: asyncpg.Connection) -> str:
        """In a transaction, where that is what keeps it on one server connection."""
        async with connection.transaction() if self._server.behind_bouncer else nullcontext():
            found: str = await connection.fetchval(_SNAPSHOT)
        return found


def listening_at(place: Place, server: Server) -> tuple[Place, Server]:
    """Where to listen: at an address of its own, where the URL gives one."""
    if place.listen is None:
        return place, server
    return replace(place, dsn=place.listen), Server(behind_bouncer=False)


class Ear:
    """A subscription."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._forget()
