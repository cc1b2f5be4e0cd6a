"""Datagram sockets in a folder beside the database file: one for each store that listens."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from stem.adapters.sqlite.rows import dump
from stem.contracts.store import Notice

__all__ = ["Peers", "decode_notice", "encode_notice", "wake_folder"]

LARGEST: Final = 60_000
"""Bytes of a datagram; a notice that needs more says only that everything may have changed."""
_LONGEST_PATH: Final = 100
_LONGEST_NAME: Final = 32
_SETTLED_NS: Final = 50_000_000
"""A folder that changed less than this ago may change again under the same time stamp."""
_EVERYTHING: Final = b"*"
_GONE: Final = (errno.ECONNREFUSED, errno.ENOENT)


def encode_notice(notice: Notice) -> bytes:
    """The datagram of a notice."""
    if notice.everything:
        return _EVERYTHING
    data = dump([sorted(notice.queues), notice.tasks, sorted(notice.channels)]).encode(errors="replace")
    return data if len(data) <= LARGEST else _EVERYTHING


def decode_notice(data: bytes) -> Notice:
    """The notice of a datagram; of one that cannot be read: look at everything."""
    try:
        queues, tasks, channels = cast("tuple[list[object], ...]", json.loads(data))
        heard = frozenset(str(channel) for channel in channels)
        return Notice(frozenset(map(str, queues)), tuple(map(str, tasks)), channels=heard)
    except (ValueError, TypeError):
        return Notice(everything=True)


def wake_folder(database: Path) -> Path:
    """The folder of the sockets: beside the file, or a private temporary one where its path would be too long."""
    folder = Path(f"{database.resolve()}-wake")
    if _fits(folder) or Path("/proc/self/fd").is_dir():
        return folder
    digest = hashlib.blake2b(os.fsencode(folder), digest_size=12).hexdigest()
    return Path(tempfile.gettempdir()) / f"stem-{os.getuid()}" / digest


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + 1 + _LONGEST_NAME < _LONGEST_PATH


class Peers:
    """The other stores on the same file; failing to reach them delays and never hurts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._sender: socket.socket | None = None
        self._own: str | None = None
        self._names: tuple[str, ...] = ()
        self._listed = -1
        self._behind: set[str] = set()

    def bind(self) -> socket.socket | None:
        """A socket that hears the others; `None` where the system has none or the folder cannot be used."""
        if not hasattr(socket, "AF_UNIX"):
            return None
        name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.setblocking(False)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ear.bind(self._address(name))
        except OSError:
            ear.close()
            return None
        self._own = name
        return ear

    def unbind(self, ear: socket.socket) -> None:
        """Close the socket and remove its name, and the folder with the last one."""
        ear.close()
        name, self._own = self._own, None
        with suppress(OSError):
            (self._folder / cast("str", name)).unlink()
        with suppress(OSError):
            self._folder.rmdir()
        self._forget_folder()

    def receive(self, ear: socket.socket | None) -> Iterator[Notice]:
        """What has arrived."""
        while ear is not None and ear.fileno() >= 0:
            try:
                data = ear.recv(LARGEST + 1)
            except OSError:
                return
            yield decode_notice(data)

    def send(self, notice: Notice) -> None:
        """Tell the others, without waiting; one that cannot take it is told `everything` with the next."""
        names = self._others()
        if not names:
            return
        data = encode_notice(notice)
        for name in names:
            self._send_to(name, _EVERYTHING if name in self._behind else data)

    def close(self) -> None:
        """Give the descriptors back."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        self._forget_folder()

    def _send_to(self, name: str, data: bytes) -> None:
        if self._sender is None:
            self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sender.setblocking(False)
        try:
            self._sender.sendto(data, self._address(name))
            self._behind.discard(name)
        except OSError as error:
            if error.errno in _GONE:
                self._remove(name)
            else:
                self._behind.add(name)

    def _remove(self, name: str) -> None:
        """The process behind this socket is gone."""
        self._behind.discard(name)
        with suppress(OSError):
            (self._folder / name).unlink()

    def _others(self) -> tuple[str, ...]:
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:
            self._names = ()
            return ()
        if changed != self._listed:
            self._names = self._list()
            self._listed = changed if time.time_ns() - changed > _SETTLED_NS else -1
        return self._names

    def _list(self) -> tuple[str, ...]:
        with suppress(OSError):
            return tuple(p.name for p in self._folder.iterdir() if p.suffix == ".sock" and p.name != self._own)
        return ()

    def _address(self, name: str) -> str:
        """A path short enough for a socket: through the open folder where its own path is too long."""
        if _fits(self._folder):
            return str(self._folder / name)
        if self._descriptor is None:
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}/{name}"

    def _forget_folder(self) -> None:
        self._listed = -1
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
