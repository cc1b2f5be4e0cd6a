"""What every part of the store works with: a writer, a reader, the terms of its commits, and who wants to hear."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import Database, Place
from stem.adapters.sqlite.sockets import Peers, wake_folder
from stem.adapters.sqlite.wake import Wake
from stem.clock import Micros
from stem.contracts.adapter import StoreOptions
from stem.contracts.capabilities import Capabilities

__all__ = ["CAPABILITIES", "Desk", "data_version"]

T = TypeVar("T")

CAPABILITIES: Final = Capabilities(durable=True, shared=True)


class Desk:
    """All writes go through one connection, one transaction after the other; questions are answered by another."""

    def __init__(self, place: Place, writer: Database, reader: Database, options: StoreOptions) -> None:
        self._place = place
        self._writer = writer
        self._reader = reader
        self._clock = options.clock
        self._terms = Terms(options.clock, options.retention, CAPABILITIES.max_value)
        self._wake = Wake(Peers(wake_folder(place.path)), lambda: writer.run(data_version))

    async def in_writer(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns for the connection that writes: for settings and for tests of this engine."""
        return await self._writer.run(work)

    def _now(self) -> Micros:
        return self._clock.now()


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes with each commit of another connection."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
