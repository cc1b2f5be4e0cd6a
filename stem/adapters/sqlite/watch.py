"""Looks for the commits of callers' transactions, of which no driver tells, to wake whoever waits for their tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Final

from stem.adapters.sqlite.wake import POLL_SECONDS
from stem.contracts.store import Notice
from stem.errors import StoreError

__all__ = ["Watch"]

SHORTEST: Final = 0.002


class Watch:
    """Looks after 2 ms, and then at doubled distances, until the task is there or a slow poll would have seen it.

    `visible` answers which of some tasks are committed. Belongs to one event loop, like its store.
    """

    def __init__(
        self, visible: Callable[[Sequence[str]], Awaitable[Collection[str]]], tell: Callable[[Notice], None]
    ) -> None:
        self._visible = visible
        self._tell = tell
        self._waiting: dict[str, tuple[Notice, float]] = {}
        self._pause = SHORTEST
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_idle(self) -> bool:
        """Whether it looks for nothing."""
        return self._looking is None

    def expect(self, task: str, notice: Notice) -> None:
        """Tell the notice when this task has been committed, if that is soon."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        self._waiting[task] = notice, loop.time() + POLL_SECONDS
        self._pause = SHORTEST
        if self._looking is None:
            self._looking = loop.create_task(self._look(), name="stem-watch")

    async def close(self) -> None:
        """Look no more."""
        self._closed = True
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait((looking,))

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._pause)
            self._pause *= 2
            with suppress(StoreError):
                for task in await self._visible(tuple(self._waiting)):
                    self._tell(self._waiting.pop(task)[0])
            now = asyncio.get_running_loop().time()
            self._waiting = {task: entry for task, entry in self._waiting.items() if entry[1] > now}
        self._looking = None
