"""How long what is around a handler is waited for; the handler inside of it has its own limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from stem.clock import Clock, Micros
from stem.worker.contained import contain, seen, value_of
from stem.worker.timing import wait_all

__all__ = ["OutOfPatience", "Patience"]

_GRACE: Final[Micros] = 1_000_000
"""How long what was cancelled has to end, and what ends after its task's hard limit at least."""


class OutOfPatience(Exception):
    """What is around the handler did not end in time, and `goes_on` although it was cancelled."""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self.goes_on = goes_on


class Patience:
    """Runs out while middleware works, and never while a handler does.

    Each part, before the handler and after it, may take `longest`; with a hard limit, both and the handler together no
    more than that. Somebody has to `look` now and then: no attempt has a timer of its own.
    """

    def __init__(self, clock: Clock, *, longest: Micros, hard: Micros | None = None) -> None:
        self._clock = clock
        self._longest = longest
        self._began = clock.elapsed()
        self.allowed = longest if hard is None else min(longest, hard)
        """How long the part under way may take."""
        self._until: Micros | None = self._began + self.allowed
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.spent: Micros = 0
        """What was used before the handler began."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return self._over.done()

    def look(self) -> None:
        """Run out when it is time."""
        if self._until is not None and self._until <= self._clock.elapsed():
            self._end()

    def begin_handler(self) -> None:
        """From now on the handler's own limits count. Raises `CancelledError` when nobody waits any more."""
        if self.is_over:
            raise asyncio.CancelledError
        self.spent = self._clock.elapsed() - self._began
        self._until = None

    def end_handler(self, left: Micros | None) -> None:
        """The part behind it begins; `left` is what the hard limit leaves, `None` without one."""
        self.allowed = self._longest if left is None else max(_GRACE, min(self._longest, left))
        self._until = self._clock.elapsed() + self.allowed

    async def within(self, work: Awaitable[object]) -> object:
        """What the work gives or raises. Raises `OutOfPatience`, and lets go of it, when it takes too long."""
        task = asyncio.ensure_future(contain(work))
        task.add_done_callback(lambda _: self._end())
        try:
            await asyncio.wait((self._over,))
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait((self._over,))
            task.add_done_callback(seen)
            raise
        if not task.done():
            task.cancel()
            await wait_all((task,), self._clock, _GRACE)
            task.add_done_callback(seen)
            raise OutOfPatience(goes_on=not task.done())
        return value_of(task.result())

    def _end(self) -> None:
        if not self.is_over:
            self._over.set_result(None)
