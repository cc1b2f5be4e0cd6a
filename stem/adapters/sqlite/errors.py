"""What SQLite says, in Stem's words: one table from result codes to errors; nothing of the driver gets out."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from stem.errors import StoreCorrupt, StoreError, StoreFull, StoreReadOnly, StoreUnavailable

__all__ = ["is_of_the_engine", "translate", "translated", "unreadable"]

_Reason = tuple[type[StoreError], str, str]

_BUSY: Final[_Reason] = (
    StoreUnavailable,
    "its turn to write within the busy timeout",
    "Find what keeps the file locked.",
)
_OPEN: Final[_Reason] = (StoreUnavailable, "a file that can be opened", "Check that its folder exists and is yours.")
_DISK: Final[_Reason] = (StoreUnavailable, "a file that can be read and written", "Check the disk and the mount.")
_READ_ONLY: Final[_Reason] = (
    StoreReadOnly,
    "a file and a folder that can be written",
    "Give this user write permission for the file and its folder.",
)
_FULL: Final[_Reason] = (
    StoreFull,
    "space for the database",
    "Make space; what was accepted is intact, and writing goes on by itself.",
)
_CORRUPT: Final[_Reason] = (
    StoreCorrupt,
    "an intact SQLite database",
    "Check the path; if it is right, restore a backup, or save what can be read with `sqlite3 FILE .recover`.",
)

_REASONS: Final[Mapping[int, _Reason]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CANTOPEN: _OPEN,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_NOMEM: _DISK,
    sqlite3.SQLITE_INTERRUPT: _DISK,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_AUTH: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
}


def is_of_the_engine(error: Exception) -> bool:
    """Whether the database as a whole is the reason, and not one change in a batch."""
    return _code(error) in _REASONS or str(error) == "Cannot operate on a closed database."


def translate(error: Exception, path: str) -> StoreError:
    """The error to raise in the place of one of the driver."""
    if str(error) == "Cannot operate on a closed database.":
        return StoreUnavailable(
            expected=f"the open database {path}", found="a closed connection", do="Open a new store."
        )
    if str(error) == "malformed JSON":
        return unreadable(error, path)
    kind, expected, do = _REASONS.get(
        _code(error),
        (StoreError, "a statement that SQLite can run", "Report this with the message; it is a fault of Stem."),
    )
    return kind(expected=f"{expected}: {path}", found=str(error) or type(error).__name__, do=do)


def unreadable(error: Exception, path: str) -> StoreCorrupt:
    """The error for a row of which this code can make nothing: somebody else wrote it."""
    return StoreCorrupt(
        expected=f"rows as Stem writes them: {path}",
        found=f"{type(error).__name__}: {error}",
        do="Look for what else writes to this file; correct or delete the row, or restore a backup.",
    )


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Errors of the driver leave this block as errors of Stem."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def _code(error: Exception) -> int:
    """The primary result code; -1 for an error that did not come from the database."""
    extended = getattr(error, "sqlite_errorcode", None)
    return extended & 0xFF if isinstance(extended, int) else -1
