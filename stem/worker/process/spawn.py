"""A child process of the operating system: a pipe to it, its stderr line by line, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stem.worker.process.memory import bytes_of_peak

__all__ = ["Spawned"]

_BOOT: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from stem.worker.process.child import main; main()"
_ROOT: Final = str(Path(__file__).parents[3])
_CHUNK: Final = 65_536


class Spawned:
    """A new interpreter, never a fork; in a process group of its own, which a kill takes along.

    Made on the event loop, in the thread that lives as long as the worker: the system ends a child with that thread.
    `hear` is given each line that it writes to stderr, `ended` is called when nothing of it runs any more.
    """

    def __init__(self, *, hear: Callable[[str], None], ended: Callable[[], None]) -> None:
        self.connection, theirs = socket.socketpair()
        self.connection.setblocking(False)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, and words of ours
            [sys.executable, "-c", _BOOT, _ROOT, str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
            process_group=0,
        )
        theirs.close()
        self.code: int | None = None
        self.peak_memory = 0
        self._hear = hear
        self._ended = ended
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        assert self._process.stderr is not None
        self._errors = self._process.stderr
        os.set_blocking(self._errors.fileno(), False)
        self._loop.add_reader(self._errors.fileno(), self._read_errors)
        threading.Thread(target=self._wait, name=f"stem-child-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL to it and to what it started, also while it is stopped; nothing once it has ended."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _wait(self) -> None:
        """In a thread of its own: how it ends is known at once, whoever else holds its pipe."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.kill()  # what it leaves behind; its id is not given to another before the next line
        _, status, usage = os.wait4(self.pid, 0)
        self.peak_memory = bytes_of_peak(usage)
        self.code = self._process.returncode = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
            self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._read_errors()
        if self._rest:
            self._hear(self._rest.decode(errors="replace"))
        self._loop.remove_reader(self._errors.fileno())
        self._errors.close()
        self._ended()

    def _read_errors(self) -> None:
        try:
            while chunk := os.read(self._errors.fileno(), _CHUNK):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self._hear(line.decode(errors="replace"))
        except BlockingIOError:
            return
        self._loop.remove_reader(self._errors.fileno())
