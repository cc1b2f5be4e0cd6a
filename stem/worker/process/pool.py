"""The children of one worker: started when they are needed, kept warm, replaced when they are used up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from stem.clock import Clock, Micros
from stem.worker.process.messages import Setup
from stem.worker.process.parent import Child
from stem.worker.tell import Teller

__all__ = ["Children", "Recycling", "recycle_reason"]

_STOP_GRACE: Final[Micros] = 5_000_000
"""How long a child may take to close what its lifespan opened."""

_log: Final = logging.getLogger("stem.worker")


@dataclass(frozen=True, slots=True)
class Recycling:
    """When a child is replaced; `None` is never."""

    tasks: int | None = None
    memory: int | None = None
    """In bytes."""


def recycle_reason(rules: Recycling, *, tasks: int, memory: int) -> str | None:
    """Why a child that has done so many tasks and holds so much is to be replaced; `None` keeps it."""
    if rules.tasks is not None and tasks >= rules.tasks:
        return f"{tasks} tasks"
    if rules.memory is not None and memory >= rules.memory:
        return f"{memory / 2**20:.0f} MiB"
    return None


class Children:
    """At most so many children at once, each with one attempt at a time; who finds none free waits."""

    def __init__(
        self, setup: Setup, *, most: int, recycling: Recycling, clock: Clock, tell: Teller | None = None
    ) -> None:
        self._setup = setup
        self._tell = tell
        self._followed: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(most)
        self._recycling = recycling
        self._clock = clock
        self._idle: list[Child] = []
        self._alive: set[Child] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that live now."""
        return [child.pid for child in self._alive if not child.ended.is_set()]

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Child]:
        """A child that is ready, for one attempt; afterwards it is kept, replaced or killed."""
        async with self._places:
            child = self._take()
            try:
                await child.ready()
                yield child
            finally:
                self._give_back(child)

    async def aclose(self) -> None:
        """Stop them all; what does not stop in time is killed."""
        for child in list(self._alive):
            self._stop(child)
        while gone := self._stopping | self._followed:
            await asyncio.wait(gone)

    def _take(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_idle:
                return child
            self._alive.discard(child)
        child = Child(self._setup)
        self._alive.add(child)
        following = asyncio.ensure_future(self._follow(child))
        self._followed.add(following)
        following.add_done_callback(self._followed.discard)
        return child

    async def _follow(self, child: Child) -> None:
        """Tell of it from its beginning to its end."""
        if self._tell is not None:
            self._tell.child_started(child.pid)
            await child.ended.wait()
            self._tell.child_ended(child.pid, child.tasks)

    def _give_back(self, child: Child) -> None:
        if not child.is_idle:
            self._stop(child, longest=0)
            return
        why = recycle_reason(self._recycling, tasks=child.tasks, memory=child.memory)
        if why is None:
            self._idle.append(child)
            return
        _log.info("child process %d is replaced after %s", child.pid, why)
        self._stop(child)

    def _stop(self, child: Child, *, longest: Micros = _STOP_GRACE) -> None:
        self._alive.discard(child)
        stopping = asyncio.ensure_future(child.stop(clock=self._clock, longest=longest))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)
