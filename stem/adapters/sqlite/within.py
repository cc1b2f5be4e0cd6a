"""Changes as part of a transaction that the caller holds open, by the statements with which the store writes them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast

import aiosqlite

from stem.adapters.sqlite.apply import Terms, apply_waves
from stem.adapters.sqlite.connection import Place
from stem.adapters.sqlite.errors import is_of_the_engine, translated
from stem.adapters.sqlite.migrations import statements_of
from stem.adapters.sqlite.plan import waves
from stem.adapters.sqlite.statements import FOLDER
from stem.adapters.sqlite.write import Writing
from stem.contracts.changes import APPLIED, Change, Publish, Verdict
from stem.contracts.store import Notice
from stem.contracts.wellformed import refuse
from stem.contracts.within import (
    Judge,
    closed,
    must_be_asynchronous,
    must_be_blocking,
    not_begun,
    other_database,
    spoiled,
    unknown_kind,
)
from stem.errors import EnqueueError, StemError

__all__ = ["SqliteJoiner"]

T = TypeVar("T")

_KINDS: Final = "a connection of sqlite3 or aiosqlite, or an SQLAlchemy connection or session over one of them"


@dataclass(frozen=True, slots=True)
class SqliteJoiner:
    """`stem.contracts.within.Joiner` for one file.

    `written` is called on the loop of the store, with the id of a task that the transaction makes and the notice for
    those who wait, before the transaction is committed, if ever it is.
    """

    place: Place
    terms: Terms
    loop: asyncio.AbstractEventLoop
    written: Callable[[str, Notice], None]

    def write(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over a connection of sqlite3, in this thread, which must be the connection's."""
        if isinstance(connection, aiosqlite.Connection):
            raise must_be_blocking(connection)
        if not isinstance(connection, sqlite3.Connection):
            raise unknown_kind(_KINDS, connection)
        return self._write(connection, changes, judge)

    async def write_async(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over a connection of aiosqlite, in its thread."""
        if isinstance(connection, sqlite3.Connection):
            raise must_be_asynchronous(connection)
        if not isinstance(connection, aiosqlite.Connection):
            raise unknown_kind(_KINDS, connection)
        hand_over, raw = _thread_of(connection)
        try:
            return cast("T", await hand_over(self._write, raw, changes, judge))
        except ValueError as error:  # its thread has ended
            raise closed(str(error)) from error

    def _write(self, connection: sqlite3.Connection, changes: Sequence[Change], judge: Judge[T]) -> T:
        with self._translated(), _plainly(connection):
            self._check_file(connection)
            with _joined(connection):
                _prepare(connection)
                writing = self.terms.writing(connection)
                verdicts = self._apply(writing, changes)
                made = judge(verdicts)
            self._tell_later(changes, verdicts, writing.notice())
        return made

    def _check_file(self, connection: sqlite3.Connection) -> None:
        files = {name: path for _, name, path in connection.execute("PRAGMA database_list")}
        if not _is_file(files["main"], self.place.path):
            raise other_database(str(self.place.path), files["main"] or "a database in memory")

    def _apply(self, writing: Writing, changes: Sequence[Change]) -> list[Verdict]:
        refusals = {place: refuse(change, self.terms.largest) for place, change in enumerate(changes)}
        verdicts: dict[int, Verdict] = {place: refused for place, refused in refusals.items() if refused is not None}
        sound = {place: change for place, change in enumerate(changes) if place not in verdicts}
        verdicts.update(apply_waves(writing, waves(list(sound.items())), sound))
        return [verdicts[place] for place in range(len(changes))]

    def _tell_later(self, changes: Sequence[Change], verdicts: Sequence[Verdict], notice: Notice) -> None:
        made = (change for change, verdict in zip(changes, verdicts, strict=True) if verdict == APPLIED)
        task = next(
            (write.envelope.id for change in made for write in change.writes if isinstance(write, Publish)), None
        )
        if task is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.written, task, notice)

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        with translated(str(self.place.path)):
            try:
                yield
            except (sqlite3.Error, ValueError, OverflowError) as error:
                known = _known(error)
                if known is None:
                    raise
                raise known from error


def _thread_of(connection: aiosqlite.Connection) -> tuple[Callable[..., Awaitable[object]], sqlite3.Connection]:
    """What runs whole functions in the connection's thread, and what they use there.

    aiosqlite has no public name for it; hop by hop, statements of others could come between ours.
    """
    hand_over: Callable[..., Awaitable[object]] = getattr(connection, "_execute")  # noqa: B009  # not a public name
    raw: sqlite3.Connection | None = getattr(connection, "_connection")  # noqa: B009  # the same
    if raw is None:
        raise closed()
    return hand_over, raw


def _known(error: Exception) -> StemError | None:
    """What an error means that has its reason in the connection or in what was to be written."""
    if isinstance(error, sqlite3.ProgrammingError):  # closed, or of another thread
        return closed(str(error))
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY_SNAPSHOT:
        return spoiled(
            "one that read before somebody else wrote, so that it can write no more; BEGIN IMMEDIATE avoids it"
        )
    if is_of_the_engine(error):
        return None
    return EnqueueError(expected="tasks that the store can hold", found=str(error), do="Correct what they hold.")


def _is_file(path: str, ours: Path) -> bool:
    """Whether this is our file, by whatever path; a database in memory has none."""
    try:
        return bool(path) and ours.samefile(path)
    except OSError:
        return False


@contextmanager
def _plainly(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """Rows as they come, whatever the connection makes of the rows of its owner."""
    before = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        yield
    finally:
        connection.row_factory, connection.text_factory = before


@contextmanager
def _joined(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """Everything in the block is part of the transaction, or nothing of it happened."""
    begun = _begin(connection)
    connection.execute("SAVEPOINT stem_enqueue")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk, for one, has taken back the whole transaction already
            connection.execute("ROLLBACK TO stem_enqueue")
            connection.execute("RELEASE stem_enqueue")
            if begun:
                connection.rollback()
        raise
    connection.execute("RELEASE stem_enqueue")


def _begin(connection: sqlite3.Connection) -> bool:
    """Begin the transaction that the driver would begin with the first write; whether there was none."""
    if connection.in_transaction:
        return False
    if connection.isolation_level is None or getattr(connection, "autocommit", False) is True:
        raise not_begun("Execute BEGIN IMMEDIATE first, or connect without autocommit.")
    connection.execute("BEGIN IMMEDIATE")
    return True


def _prepare(connection: sqlite3.Connection) -> None:
    """What `prepare_writer` does, without ending the transaction; a rollback may have taken it back."""
    query = "SELECT count(*) FROM sqlite_temp_master WHERE name = 'stem_publish'"
    if not connection.execute(query).fetchone()[0]:
        for path in sorted((FOLDER / "connection").glob("*.sql")):
            for statement in statements_of(path.read_text(encoding="utf-8")):
                connection.execute(statement)
