"""The way of a call through the middleware of its client."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar, cast

from stem.errors import EnqueueError, EnqueueRefused
from stem.signals.middleware import OnEnqueue
from stem.tasks.call import TaskCall

__all__ = ["pass_through"]

R = TypeVar("R")


async def pass_through(call: TaskCall[R], middleware: Sequence[OnEnqueue]) -> TaskCall[R]:
    """The call as the last of them passes it on. Raises `EnqueueRefused`, or an `EnqueueError` of their own."""
    passage = _Passage(call.name, middleware)
    await passage.go_on(0, call)
    return cast("TaskCall[R]", passage.arrived[0])


class _Passage:
    def __init__(self, name: str, middleware: Sequence[OnEnqueue]) -> None:
        self._name = name
        self._middleware = middleware
        self.arrived: list[object] = []

    async def go_on(self, index: int, call: TaskCall[object]) -> None:
        if index == len(self._middleware):
            self.arrived.append(call)
            return
        middleware = self._middleware[index]
        try:
            await middleware.on_enqueue(call, partial(self.go_on, index + 1))
        except EnqueueError:
            raise
        except Exception as error:
            raise self._refused(middleware, type(error).__name__, "Its cause says why.") from error
        if len(self.arrived) != 1 or not isinstance(self.arrived[0], TaskCall):
            raise self._refused(middleware, "no call passed on", "Write `await call_next(call)` once, or raise.")

    def _refused(self, middleware: OnEnqueue, found: str, do: str) -> EnqueueRefused:
        return EnqueueRefused(
            expected=f"all middleware to let task '{self._name}' be enqueued",
            found=f"{found} from {type(middleware).__qualname__}",
            do=f"{do} Nothing was stored.",
        )
