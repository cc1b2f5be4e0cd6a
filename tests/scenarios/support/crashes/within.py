"""Deaths within a call of a store: between two statements with which the engine writes for it.

What only reads leaves nothing to be found, so that a death before it is one before the next that writes. A script or
function of Redis is one command, and happens whole or not at all, whenever its client dies.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

import asyncpg

__all__ = ["Statements"]

_WRITING: Final = re.compile(r"\b(?:INSERT|DELETE|COMMIT|(?<!FOR )(?<!KEY )UPDATE)\b")
_SENDING: Final = ("fetch", "fetchrow", "fetchval", "execute", "executemany")
_CLASS: Final[Any] = asyncpg.Connection


@dataclass(slots=True)
class Statements:
    """Those of this process that write, and are not the first of their call; before the `nth` of them it dies."""

    nth: int | None
    count: int = 0
    _calls: Callable[[], int] | None = None
    _seen: int = 0

    def watch(self) -> None:
        """Hear of every statement of each connection that this process opens from now on."""
        _watch_sqlite(self._meet)
        _watch_postgres(self._meet)

    def begin(self, calls: Callable[[], int]) -> None:
        """Count from now on; `calls` says how many calls of the store have begun."""
        self._calls = calls

    def _meet(self, statement: str) -> None:
        if not _WRITING.search(statement):
            return
        begun = 0 if self._calls is None else self._calls()
        if begun == self._seen and begun:
            self.count += 1
            if self.count == self.nth:
                os.kill(os.getpid(), signal.SIGKILL)
        self._seen = begun


def _watch_sqlite(meet: Callable[[str], None]) -> None:
    """SQLite tells of each statement when it begins, and of each program of a trigger within it."""
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def connect_and_tell(*place: object, **options: object) -> sqlite3.Connection:
        connection = connect(*place, **options)
        connection.set_trace_callback(meet)
        return connection

    setattr(sqlite3, connect.__name__, connect_and_tell)  # this process lives for one order


def _watch_postgres(meet: Callable[[str], None]) -> None:
    """Each statement is a round trip; so are the beginning and the end of a transaction."""
    for name in _SENDING:
        setattr(_CLASS, name, _telling(getattr(_CLASS, name), meet))


def _telling(send: Callable[..., Any], meet: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(send)
    def send_and_tell(connection: Any, statement: str, *given: Any, **options: Any) -> Any:
        meet(statement)
        return send(connection, statement, *given, **options)

    return send_and_tell
