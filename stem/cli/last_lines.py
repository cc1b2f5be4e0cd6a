"""The last lines that a worker process logged, kept where they outlive it: in a file that its supervisor holds open."""

from __future__ import annotations

import logging
import mmap
import os
import struct
import tempfile
from typing import IO, Final

__all__ = ["LastLines", "open_file"]

_LINES: Final = 10
_WIDTH: Final = 256
_HEAD: Final = struct.Struct(">QH")
_TEXT: Final = logging.Formatter("%(levelname)s %(name)s  %(message)s")


def open_file() -> IO[bytes]:
    """A file without a name for the lines of one worker after the other."""
    made = tempfile.TemporaryFile()  # noqa: SIM115  # it is held for as long as the supervisor runs
    made.truncate(_LINES * _WIDTH)
    return made


class LastLines(logging.Handler):
    """Keeps the last ten lines, 240 bytes of each, by writing to memory that is mapped: no call of the system, which
    could block, and nothing is lost when the process is killed. The descriptor is closed."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.setFormatter(_TEXT)
        with os.fdopen(descriptor, "r+b") as file:
            self._kept = mmap.mmap(file.fileno(), _LINES * _WIDTH)
        self._count = 0

    def take_over(self) -> tuple[str, ...]:
        """What the process before this one left, the oldest first; from now on only what this one logs is kept."""
        left = sorted(found for place in range(_LINES) if (found := self._read(place))[0])
        self._kept[:] = bytes(_LINES * _WIDTH)
        return tuple(line for _, line in left)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it in the place of the oldest."""
        try:
            line = self.format(record).encode(errors="replace")[: _WIDTH - _HEAD.size]
        except Exception:  # noqa: BLE001  # as every handler of the standard library: no log line may end a program
            self.handleError(record)
            return
        begin = self._count % _LINES * _WIDTH
        self._count += 1
        end = begin + _HEAD.size + len(line)
        self._kept[begin:end] = _HEAD.pack(self._count, len(line)) + line

    def _read(self, place: int) -> tuple[int, str]:
        number, length = _HEAD.unpack_from(self._kept, place * _WIDTH)
        begin = place * _WIDTH + _HEAD.size
        return number, self._kept[begin : begin + length].decode(errors="replace")
