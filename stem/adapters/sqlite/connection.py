"""Connections: one thread hop for a whole transaction, the same settings everywhere."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosqlite

from stem.adapters.sqlite.errors import translate, translated, unreadable
from stem.adapters.sqlite.statements import FOLDER
from stem.errors import ConfigError, StoreReadOnly, StoreUnavailable

__all__ = [
    "Database",
    "Place",
    "connect",
    "connect_blocking",
    "parse_url",
    "prepare_writer",
    "require_json",
    "transaction",
    "transaction_under",
]

T = TypeVar("T")

OLDEST: Final = (3, 37, 0)
BUSY_SECONDS: Final = 5.0
_SYNCHRONOUS: Final = ("normal", "full")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is, and how durable a commit has to be."""

    path: Path
    synchronous: str = "normal"


class Database(aiosqlite.Connection):
    """A connection with its own thread that runs whole functions, not single statements."""

    place: Place

    async def run(self, work: Callable[[sqlite3.Connection], T], *, then: Callable[[T], None] | None = None) -> T:
        """What `work` returns for the blocking connection, in the connection's thread.

        Work that was handed over is done even when the caller is cancelled, and so is `then`, on the loop, with what it
        returned. Errors of the driver come out translated.
        """
        handed_over = asyncio.ensure_future(self._hand_over(work, then))
        handed_over.add_done_callback(_look_at)
        return await asyncio.shield(handed_over)

    @property
    def _is_closed(self) -> bool:
        return self._connection is None

    async def _hand_over(self, work: Callable[[sqlite3.Connection], T], then: Callable[[T], None] | None) -> T:
        if self._is_closed:
            raise closed(self.place)
        execute = cast("Callable[..., Awaitable[T]]", self._execute)  # pyright: ignore[reportUnknownMemberType]  # untyped there
        try:
            done = await execute(work, self._conn)
        except sqlite3.Error as error:
            raise translate(error, str(self.place.path)) from error
        except UnicodeEncodeError as error:
            raise ConfigError(
                expected="text that UTF-8 can hold", found=str(error), do="Correct the id, the name or the filter."
            ) from error
        except (ValueError, TypeError, LookupError) as error:
            if self._is_closed:
                raise closed(self.place) from error
            raise unreadable(error, str(self.place.path)) from error
        if then is not None:
            then(done)
        return done


def _look_at(handed_over: asyncio.Future[T]) -> None:
    """An error that nobody waits for any more needs no report."""
    if not handed_over.cancelled():
        handed_over.exception()


def closed(place: Place) -> StoreUnavailable:
    """The error of a store that is used after `aclose`."""
    return StoreUnavailable(expected=f"the open database {place.path}", found="a closed store", do="Open a new store.")


def parse_url(url: str) -> Place:
    """The place that `sqlite:///relative.db` or `sqlite:////absolute.db` names, with `?synchronous=full` where given.

    Raises `ConfigError` for every other form.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)[1:]
    if parts.netloc or path in ("", "/"):
        raise _wrong_url("sqlite:///relative.db or sqlite:////absolute/path.db", url, "Correct the URL.")
    if path.startswith(":memory:"):
        raise _wrong_url("a database file", url, "Use memory:// for a store without a file.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    synchronous = options.pop("synchronous", "normal").lower()
    if options or synchronous not in _SYNCHRONOUS:
        raise _wrong_url("no parameter but synchronous=normal or synchronous=full", url, "Correct the URL.")
    return Place(Path(path), synchronous)


async def connect(place: Place) -> Database:
    """A connection for the event loop. Raises what `connect_blocking` raises."""
    opened = await asyncio.to_thread(connect_blocking, place)  # here, since aiosqlite cannot fail well
    database = Database(lambda: opened, iter_chunk_size=64)
    database.place = place
    # A client that was never closed must not keep its process from ending. Until aiosqlite 0.22 it was the thread.
    cast("threading.Thread", getattr(database, "_thread", database)).daemon = True
    return cast("Database", await database)


def connect_blocking(place: Place, *, busy: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection in WAL mode; the file is made where it is missing, its folder is not.

    Raises `ConfigError` for an SQLite that is too old or a folder that does not exist, `StoreReadOnly`,
    `StoreUnavailable` or `StoreCorrupt` for a file that cannot be used.
    """
    try:
        _check_surroundings(place.path)
    except OSError as error:
        raise StoreUnavailable(
            expected=f"a folder that can be looked into: {place.path}",
            found=str(error),
            do="Give this user permission for the folders on the way.",
        ) from error
    with translated(str(place.path)):
        connection = sqlite3.connect(
            place.path, timeout=busy, isolation_level=None, check_same_thread=False, cached_statements=256
        )
    try:
        with translated(str(place.path)):
            _prepare(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_surroundings(path: Path) -> None:
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConfigError(
            expected="SQLite 3.37 or newer",
            found=f"SQLite {sqlite3.sqlite_version}",
            do="Use a Python that brings a newer SQLite.",
        )
    if not path.parent.is_dir():
        raise ConfigError(
            expected="a database file in a folder that exists",
            found=str(path),
            do="Make the folder or correct the URL.",
        )
    if path.exists() and not _is_writable(path):
        raise StoreReadOnly(
            expected=f"a file and a folder that can be written: {path}",
            found="no permission to write",
            do="Give this user write permission for the file and its folder.",
        )


def require_json(connection: sqlite3.Connection) -> None:
    """Before 3.38 the JSON functions were an option of whoever built SQLite."""
    (number,) = connection.execute("SELECT count(*) FROM pragma_function_list WHERE name = 'json_array'").fetchone()
    if not number:
        raise ConfigError(
            expected="an SQLite with JSON functions",
            found=f"SQLite {sqlite3.sqlite_version}, built without them",
            do="Use a Python whose SQLite is 3.38 or newer, or was built with SQLITE_ENABLE_JSON1.",
        )


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _prepare(connection: sqlite3.Connection, place: Place) -> None:
    require_json(connection)
    _use_wal(connection, time.monotonic() + BUSY_SECONDS)
    connection.execute(f"PRAGMA synchronous = {place.synchronous}")  # one of _SYNCHRONOUS
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA cache_size = -32000")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA temp_store = MEMORY")


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """The busy timeout does not cover this switch, so that two processes that open a new file would fail."""
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def prepare_writer(connection: sqlite3.Connection) -> None:
    """Give a connection what only lives in it: views through which one statement does what takes several.

    Each statement costs its thread the interpreter, which a busy event loop gives back after milliseconds.
    """
    for path in sorted((FOLDER / "connection").glob("*.sql")):
        connection.executescript(path.read_text(encoding="utf-8"))


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Generator[None, None, None]:
    """Everything in the block is one commit, or nothing of it happened."""
    connection.executescript(f"BEGIN {kind}")  # where `execute` gives the interpreter away four times, this does once
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def transaction_under(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """Everything in the block is part of the transaction under way, or of one of its own where there is none."""
    with nullcontext() if connection.in_transaction else transaction(connection):
        yield


def _wrong_url(expected: str, url: str, do: str) -> ConfigError:
    return ConfigError(expected=expected, found=url, do=do)
