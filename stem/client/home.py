"""Where a client belongs: to the process and the event loop that opened it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from stem.errors import ConfigError

__all__ = ["Home"]


@dataclass(frozen=True, slots=True)
class Home:
    """A process and an event loop. Connections and threads are theirs, and would answer nobody elsewhere."""

    pid: int
    loop: asyncio.AbstractEventLoop

    @classmethod
    def here(cls) -> Home:
        """This process and the running loop."""
        return cls(os.getpid(), asyncio.get_running_loop())

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it can be awaited any more: its loop was closed, or this is a fork of its process."""
        return self.loop.is_closed() or self.pid != os.getpid()

    def check(self) -> None:
        """Raises `ConfigError` in another process, or on another loop, where waiting would never end."""
        here = asyncio._get_running_loop()
        if here is self.loop and self.pid == os.getpid():
            return
        if self.pid != os.getpid():
            raise _elsewhere(f"process {os.getpid()}, a fork of {self.pid}", "Open a client after the fork.")
        if self.loop.is_closed():
            raise _elsewhere("its event loop closed", "Close a client before its loop, and open another one here.")
        if here is not None:
            raise _elsewhere("another event loop", "Open a client in each loop; `SyncStem` serves many threads.")


def _elsewhere(found: str, do: str) -> ConfigError:
    return ConfigError(expected="a client in the process and the event loop that opened it", found=found, do=do)
