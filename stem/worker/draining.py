"""How a worker ends what it has in its hands: let it finish, cancel it, give it back; nothing is lost on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from stem.clock import Clock, Micros
from stem.worker.decide import Stop
from stem.worker.engine import Engine
from stem.worker.timing import wait_all, wait_any

__all__ = ["Haste", "close_engine", "drain", "end_loops"]

_CANCEL_GRACE: Final[Micros] = 5_000_000
_JOIN_SECONDS: Final = 2.0

_log: Final = logging.getLogger("stem.worker")


class Haste:
    """How much of a hurry there is; it only grows, also while a drain is under way."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        """Set when what runs is to be cancelled at once."""
        self.hard = False
        """Whether not even the end of what was cancelled is waited for."""

    def hurry(self, *, hard: bool = False) -> None:
        """Cancel what runs now."""
        self.hard = self.hard or hard
        self.now.set()


async def end_loops(engine: Engine, loops: Sequence[asyncio.Task[None]], clock: Clock) -> None:
    """Return when these have ended by themselves: what a call under way still brings, the slots give back."""
    engine.fetcher.stop()
    engine.slots.close()
    await wait_all(loops, clock, _CANCEL_GRACE)


async def drain(engine: Engine, longest: Micros, haste: Haste, clock: Clock) -> None:
    """Let what runs go on for so long, then cancel it, then give back under the hands of what does not end."""
    if not engine.slots.idle:
        await wait_any((engine.over, haste.now), clock, longest)
    if not engine.slots.idle:
        engine.end_all(Stop.SHUTDOWN)
        await wait_any((engine.over,), clock, 0 if haste.hard else _CANCEL_GRACE)
    for held in engine.slots.held():
        _log.warning("task %s ignores its cancellation; it goes back to its queue", held.fence.task_id)
        engine.abandon(held)
    await engine.flush(_CANCEL_GRACE)


async def close_engine(engine: Engine) -> None:
    """Let go of its threads and child processes."""
    engine.keeper.stop()
    await asyncio.to_thread(engine.keeper.join, _JOIN_SECONDS)
    engine.threads.close()
    if engine.children is not None:
        await engine.children.aclose()
