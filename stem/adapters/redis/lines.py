"""A connection on which commands go out at once and answers come back in their order; what was lost is asked again.

The driver opens and greets each connection. Its own way of calling costs 110 us a command, which every leg of a round
trip would pay; this one costs 30 us, and any number of calls may be under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import hiredis

from stem.adapters.redis.driver import LOST, Value, answer_error, lost, open_stream, timed_out
from stem.adapters.redis.route import Route

__all__ = ["Beginning", "Line", "Told", "Wire"]

Told: TypeAlias = Callable[[Any], None]
"""Called once, on the loop, with an answer or with the error in its place."""
_NOTHING: Final = object()
_HIREDIS: Final[Any] = hiredis  # typed by halves
_pack: Final[Callable[[tuple[Value, ...]], bytes]] = _HIREDIS.pack_command


class Beginning:
    """The first words of many commands, packed once: the keys of a namespace are more than most commands bring."""

    def __init__(self, *words: Value) -> None:
        self._count = len(words)
        self._packed = _uncounted(words)

    def command(self, words: tuple[Value, ...]) -> bytes:
        """The command that goes on with these words."""
        return b"".join((b"*%d\r\n" % (self._count + len(words)), self._packed, _uncounted(words)))


def _uncounted(words: tuple[Value, ...]) -> bytes:
    """The words as they stand in a command, without their number before them."""
    command = _pack(words)
    return command[command.index(b"\n") + 1 :]


class Wire(asyncio.Protocol):
    """One open connection. `heard` is given each answer, where it is subscribed; else answers go to who asked."""

    def __init__(
        self, stream: asyncio.StreamWriter, timeout: float, heard: Callable[[list[Any]], None] | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._transport = stream.transport
        self._timeout = timeout
        self._heard = heard
        self._answers: Any = _HIREDIS.Reader(replyError=answer_error, notEnoughData=_NOTHING)
        self._waiting: deque[tuple[Told, float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self.over: asyncio.Future[BaseException] = self._loop.create_future()
        """Done with the reason when the connection is lost."""
        self._transport.set_protocol(self)

    def ask(self, *words: Value) -> asyncio.Future[Any]:
        """Send a command; its answer, or its error. A future that is cancelled does not stop the call."""
        return self.call(_pack(words))

    def call(self, command: bytes) -> asyncio.Future[Any]:
        """The same for a command that is packed."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.over.done():
            answer.set_exception(lost("it was closed"))
        else:
            self.send(command, partial(_bring, answer))
        return answer

    def send(self, command: bytes, told: Told) -> None:
        """The same over an open connection for one who is called, which takes one turn of the loop less."""
        self._transport.write(command)
        self._expect(told)

    def send_first_to_others(self, command: bytes, told: Told) -> None:
        """The same; those to whom the command sends something get it before this side gets its answer.

        A server writes last to whom it had something for first, and each write keeps the next one waiting until its
        reader is awake. A question ahead of the command, whose answer nobody hears, makes this side the first.
        """
        self._transport.write(_AHEAD + command)
        self._expect(_unheard)
        self._expect(told)

    def _expect(self, told: Told) -> None:
        self._waiting.append((told, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._look)

    def tell(self, *words: Value) -> None:
        """Send a command whose answer nobody takes, or all hear."""
        self._transport.write(_pack(words))

    def close(self, reason: BaseException | None = None) -> None:
        """Cut it; whoever waits for an answer is told the reason. May be called twice."""
        error = reason or lost("it was closed")
        if not self.over.done():
            self.over.set_result(error)
        if self._watch is not None:
            self._watch.cancel()
        self._transport.abort()
        while self._waiting:
            told, _ = self._waiting.popleft()
            told(error)

    def data_received(self, data: bytes) -> None:
        """The driver of the loop calls it."""
        self._answers.feed(data)
        try:
            while (answer := self._answers.gets()) is not _NOTHING:
                self._take(answer)
        except hiredis.ProtocolError as error:
            self.close(lost(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        """The driver of the loop calls it."""
        self.close(lost(str(exc) if exc is not None else "the server closed it"))

    def _take(self, answer: Any) -> None:
        if self._heard is not None:
            if isinstance(answer, Exception):
                self.close(answer)
            else:
                self._heard(answer)
        elif self._waiting:
            told, _ = self._waiting.popleft()
            told(answer)

    def _look(self) -> None:
        """One timer for all that waits: whether the oldest question has waited too long."""
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][1] + self._timeout - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self.close(timed_out(self._timeout))


def _unheard(_: Any) -> None:
    """Nobody waits for this answer."""


_AHEAD: Final = _pack(("PING",))


def _bring(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class Line:
    """A wire that is opened when it is needed, and again when it was lost. Every call may be made twice."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._opening = asyncio.Lock()
        self._wire: Wire | None = None

    async def ask(self, *words: Value) -> Any:
        """What the server answers. A call that meets a connection which dies is repeated once, on a new one."""
        return await self.call(_pack(words))

    async def call(self, command: bytes) -> Any:
        """The same for a command that is packed."""
        wire = self._wire
        try:
            if wire is None or wire.over.done():
                wire = await self._opened()
            return await wire.call(command)
        except LOST:
            return await (await self._opened()).call(command)

    def send(self, command: bytes, told: Told, *, first_to_others: bool = False) -> bool:
        """Send it if there is an open connection, and say whether there is; nothing is repeated."""
        wire = self._wire
        if wire is None or wire.over.done():
            return False
        (wire.send_first_to_others if first_to_others else wire.send)(command, told)
        return True

    def hang_up(self) -> None:
        """Close the wire; the next call opens another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    async def _opened(self) -> Wire:
        async with self._opening:
            wire = self._wire
            if wire is None or wire.over.done():
                wire = self._wire = Wire(await open_stream(self._route), self._route.place.timeout)
        return wire
