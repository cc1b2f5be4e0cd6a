"""A wire between clients and a server that can be cut, made deaf, slowed down, and led to another server."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Proxy"]

_CHUNK = 65_536


@dataclass(slots=True, eq=False)
class _Wire:
    """One connection through the proxy; once bytes of it were swallowed, nothing of it is passed any more."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_dead: bool = False
    pumps: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def close(self) -> None:
        """Break it off on both sides, as a router does that forgets its connections."""
        for writer in (self.client, self.server):
            with suppress(RuntimeError, OSError):
                writer.transport.abort()


class Proxy:
    """Listens on a port of its own while it is entered; passes everything on until it is told otherwise.

    It runs on the event loop of the test. With a `context` its clients speak TLS to it; behind it everything is plain.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.target = port
        self._context = context
        self.port = 0
        self.delay = 0.0
        """Seconds that every piece takes on its way to the server."""
        self.connections = 0
        """How many there have been."""
        self.swallowed = 0
        """How many bytes never arrived."""
        self._swallow_requests = False
        self._swallow_answers = False
        self._wires: set[_Wire] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The server behind it, for clients that give up after a second."""
        return f"redis://127.0.0.1:{self.port}/0?timeout=1"

    def cut(self) -> None:
        """Break every connection; new ones are let through."""
        for wire in tuple(self._wires):
            wire.close()

    def swallow(self) -> None:
        """Take what clients send, and answer nothing: the server has vanished without a word."""
        self._swallow_requests = True

    def swallow_answers(self) -> None:
        """Let requests reach the server, and nothing come back: one half of each connection is gone."""
        self._swallow_answers = True

    def pass_on(self) -> None:
        """Pass everything again; connections of which something was swallowed stay silent for ever."""
        self._swallow_requests = self._swallow_answers = False

    def lead_to(self, port: int) -> None:
        """New connections go to another server, as after a failover behind one address."""
        self.target = port

    async def hang_up(self) -> None:
        """Break every connection and take no new ones."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await self._server.wait_closed()
            self._server = None

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        pumps = [pump for wire in self._wires for pump in wire.pumps]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        wire = _Wire(writer, server)
        self._wires.add(wire)
        create = asyncio.get_running_loop().create_task
        wire.pumps += [create(self._to_server(wire, reader)), create(self._to_client(wire, answers))]
        await asyncio.gather(*wire.pumps, return_exceptions=True)
        self._wires.discard(wire)

    async def _to_server(self, wire: _Wire, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                self._forward(wire, wire.server, data, swallow=self._swallow_requests)
        wire.close()

    async def _to_client(self, wire: _Wire, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                self._forward(wire, wire.client, data, swallow=self._swallow_answers)
        if not wire.is_dead:
            wire.close()

    def _forward(self, wire: _Wire, to: asyncio.StreamWriter, data: bytes, *, swallow: bool) -> None:
        if swallow or wire.is_dead:
            wire.is_dead = True
            self.swallowed += len(data)
        else:
            to.write(data)
