"""A door from blocking code to one event loop in a background thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from stem.errors import ConfigError, StoreUnavailable

__all__ = ["Portal"]

T = TypeVar("T")

_LONGEST_END: Final = 5.0
"""Seconds that what runs on the loop has to end when it is cancelled."""


class Portal:
    """One event loop in a daemon thread, and a blocking door to it. Any thread may use any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    @property
    def is_running(self) -> bool:
        """Whether `run` can be called; not in a fork of the process that started it."""
        return self._loop is not None and self._pid == os.getpid()

    def start(self) -> None:
        """Start the thread; a second call does nothing. A fork gets a thread of its own."""
        if self._pid != os.getpid():
            self._lock, self._loop, self._pid = threading.Lock(), None, os.getpid()
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="stem-portal", daemon=True)
                self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Interrupting the caller cancels the coroutine.

        Raises `ConfigError` when it is not open here, and `StoreUnavailable` when it is closed meanwhile.
        """
        future = self._submit(coroutine)
        try:
            return future.result()
        except BaseException as error:
            future.cancel()
            if isinstance(error, CancelledError) and not self.is_running:
                raise _closed_meanwhile() from None
            raise

    def stop(self) -> None:
        """Stop the loop and wait for its thread; whoever still waits for a coroutine is told."""
        if not self.is_running:
            return
        with self._lock:  # from here on nothing is submitted, so that nothing waits for a loop that stands
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        if not self.is_running:
            coroutine.close()
            raise self._not_running()
        with self._lock:
            if self._loop is not None:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        raise self._not_running()

    def _not_running(self) -> ConfigError:
        forked = self._loop is not None
        return ConfigError(
            expected="an open SyncStem",
            found="one that was opened before this process was forked" if forked else "one that is not open",
            do="Open it after the fork." if forked else "Use it inside `with SyncStem(...) as stem:`.",
        )


async def _end_all() -> None:
    """Cancel what still runs on the loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LONGEST_END)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _closed_meanwhile() -> StoreUnavailable:
    return StoreUnavailable(
        expected="an open SyncStem", found="one that was closed while waiting", do="Wait before closing it."
    )
