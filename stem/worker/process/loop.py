"""The event loop of a child process, in a thread of its own: what a lifespan opened there goes on between tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from stem.errors import SoftTimeLimit
from stem.worker.contained import Raised
from stem.worker.time_limits import Interruptible

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Started at its first use."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inside: Interruptible | None = None

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The value of a coroutine, or its error; blocks."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._started()).result()

    def run(self, handler: Callable[[], Coroutine[Any, Any, object]]) -> object:
        """A handler's value, or its error as a value; blocks."""
        return self.call(self._contained(handler))

    def interrupt(self, error: SoftTimeLimit) -> bool:
        """Raise this inside the handler that runs here; whether one does. From any thread."""
        inside = self._inside
        if inside is None or self._loop is None:
            return False
        self._loop.call_soon_threadsafe(inside.interrupt, error)
        return True

    async def _contained(self, handler: Callable[[], Coroutine[Any, Any, object]]) -> object:
        try:
            self._inside = Interruptible(handler())
            return await self._inside.work
        except BaseException as error:  # noqa: BLE001  # it is raised where it was waited for
            return Raised(error)
        finally:
            self._inside = None

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="stem-loop", daemon=True).start()
        return self._loop
