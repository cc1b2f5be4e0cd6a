"""Many calls enqueued at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Generic, TypeVar, overload

from stem.tasks.handle import TaskHandle
from stem.tasks.status import TaskStatus

__all__ = ["Batch"]

R_co = TypeVar("R_co", covariant=True)


class Batch(Sequence[TaskHandle[R_co]], Generic[R_co]):
    """The handles of a batch, in the order of its calls. `id` is the root of their lineage: list them by it."""

    def __init__(self, id: str, handles: Sequence[TaskHandle[R_co]]) -> None:  # noqa: A002 - the public name of it
        self.id = id
        self._handles = tuple(handles)

    @overload
    def __getitem__(self, index: int) -> TaskHandle[R_co]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TaskHandle[R_co]]: ...
    def __getitem__(self, index: int | slice) -> TaskHandle[R_co] | Sequence[TaskHandle[R_co]]:
        return self._handles[index]

    def __len__(self) -> int:
        return len(self._handles)

    def __repr__(self) -> str:
        return f"Batch(id={self.id!r}, {len(self)} tasks)"

    async def result(self, *, timeout: timedelta | None = None) -> list[R_co]:
        """All results, in order. Raises the error of the first task, in time, that ended without one."""
        return await asyncio.gather(*(handle.result(timeout=timeout) for handle in self._handles))

    async def status(self) -> list[TaskStatus]:
        """All statuses, in order."""
        return [await handle.status() for handle in self._handles]
