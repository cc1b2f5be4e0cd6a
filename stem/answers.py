"""What a client answers its handles: results, statuses, progress, and whether it is open at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from stem.errors import ConfigError
from stem.stores.settings import ClientSettings
from stem.tasks.handle import TaskHandle
from stem.tasks.status import Progress, TaskStatus

if TYPE_CHECKING:
    from stem.client.parts import Parts

__all__ = ["Answers"]

R = TypeVar("R")


class Answers:
    """The part of a `Stem` that its handles know; what they ask raises `ConfigError` while it is not open."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._parts: Parts | None = None

    def handle(self, task_id: str, /) -> TaskHandle[Any]:
        """The handle for an id, whose result is plain JSON; `definition.handle(stem, id)` gives the typed one."""
        from stem.codec import load_value

        return self.handle_of(task_id, load_value)

    def handle_of(self, task_id: str, decode: Callable[[bytes], R], /) -> TaskHandle[R]:
        """The handle for an id, with the decoder of its results."""
        return TaskHandle(task_id, self, decode)

    async def wait_result(self, task_id: str, timeout: timedelta | None, /) -> bytes:
        """The stored result of a task; see `TaskHandle.result`."""
        parts = self._open
        return parts.read_result(task_id, await parts.waiter.result(task_id, timeout))

    async def wait_results(self, task_ids: Sequence[str], timeout: timedelta | None, /) -> list[bytes]:
        """The stored results of several tasks; see `Copies.result`."""
        import asyncio

        return await asyncio.gather(*(self.wait_result(task_id, timeout) for task_id in task_ids))

    async def task_copies(self, task_id: str, timeout: timedelta | None, /) -> Mapping[str, str]:
        """See `TaskHandle.copies`."""
        from stem.client.copies import wait_for_copies

        return await wait_for_copies(self._open.store, task_id, timeout, clock=self._settings.options.clock)

    async def task_status(self, task_id: str, /) -> TaskStatus:
        """See `TaskHandle.status`."""
        return await self._open.inspector.status(task_id)

    def task_progress(self, task_id: str, /) -> AsyncIterator[Progress]:
        """See `TaskHandle.progress`."""
        return self._open.waiter.progress(task_id)

    async def cancel_task(self, task_id: str, /, *, terminate: bool) -> TaskStatus:
        """See `TaskHandle.cancel`."""
        return await self._open.inspector.cancel(task_id, terminate=terminate)

    @property
    def _open(self) -> Parts:
        if self._parts is None:
            raise ConfigError(
                expected="an open Stem",
                found="one that is not open",
                do="Use it inside `async with Stem(...) as stem:`.",
            )
        self._parts.home.check()
        return self._parts
