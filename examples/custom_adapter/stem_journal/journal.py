"""The file: a line for each call that changes something, written before the call is made."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stem.clock import Micros
from stem.errors import StoreCorrupt, StoreFull, StoreUnavailable
from stem_journal.codec import decode, encode

__all__ = ["Entry", "Journal"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A call: when, of what, with what."""

    at: Micros
    call: str
    given: Mapping[str, Any]


class Journal:
    """One file, which this process alone has open. Its last line counts only when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)

    def entries(self) -> Iterator[Entry]:
        """What was done, from the beginning on. What a crash left of a last line is cut off.

        Raises `StoreCorrupt` for a line that is no entry.
        """
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            yield self._entry(line, number)
        self._file.seek(whole)
        self._file.truncate()

    def append(self, entry: Entry) -> None:
        """Write an entry: it outlives this process from here on. Raises `StoreFull`, after which it is not there."""
        before = self._file.tell()
        line = encode({"at": entry.at, "call": entry.call, "given": entry.given})
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
        except OSError as error:
            self._file.seek(before)
            self._file.truncate()
            raise StoreFull(expected=f"space for {self._path}", found=str(error), do="Make space.") from error

    def close(self) -> None:
        """Give the file back; may be called twice."""
        self._file.close()

    def damaged(self, found: str) -> StoreCorrupt:
        """The error of a file in which this was found."""
        return StoreCorrupt(
            expected=f"a journal in {self._path}", found=found, do="Name another file, or bring this one back."
        )

    def _entry(self, line: bytes, number: int) -> Entry:
        try:
            return Entry(**decode(line.decode()))
        except (ValueError, TypeError) as error:
            raise self.damaged(f"line {number}: {error}") from None


def _open(path: Path) -> IO[bytes]:
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except OSError as error:
        raise StoreUnavailable(
            expected=f"a file that can be written: {path}", found=str(error), do="Correct the URL or the permissions."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StoreUnavailable(
            expected=f"the journal {path} for this process alone",
            found="another one that has it",
            do="Stop that one, or use an engine that processes can share.",
        ) from None
    return file
