"""A listener that a test can wait on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from stem.contracts.store import Notice, Store

__all__ = ["Ear"]

_PATIENCE = 20.0


class Ear:
    """Listens to a store inside a `with` block; `notices` holds what it was told, `everything` included."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self.notices: list[Notice] = []

    def __enter__(self) -> Self:
        self._subscription = self._store.listen(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscription.close()

    def close(self) -> None:
        """Stop listening before the block ends."""
        self._subscription.close()

    async def hears_of_queue(self, queue: str) -> None:
        """Return when a notice named this queue; fails when none does in 20 s."""
        await self._until(lambda notice: queue in notice.queues)

    async def hears_of_task(self, task_id: str) -> None:
        """Return when a notice named this task; fails when none does in 20 s."""
        await self._until(lambda notice: task_id in notice.tasks)

    async def hears_of_channel(self, channel: str) -> None:
        """Return when a notice named this channel; fails when none does in 20 s."""
        await self._until(lambda notice: channel in notice.channels)

    async def _until(self, fits: Callable[[Notice], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not any(notice.everything or fits(notice) for notice in self.notices):
                await self._told.wait()
                self._told.clear()

    def _listen(self, notice: Notice) -> None:
        self._loop.call_soon_threadsafe(self._hear, notice)

    def _hear(self, notice: Notice) -> None:
        self.notices.append(notice)
        self._told.set()
