"""Waiting for events, but not for ever, by the injected clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from stem.clock import Clock, Micros

__all__ = ["wait_all", "wait_any"]


async def wait_any(events: Sequence[asyncio.Event], clock: Clock, longest: Micros) -> None:
    """Return when one of the events is set, or after `longest` microseconds."""
    await _first([asyncio.ensure_future(event.wait()) for event in events], clock, longest)


async def wait_all(tasks: Sequence[asyncio.Task[Any]], clock: Clock, longest: Micros) -> None:
    """Return when all tasks have ended, or after `longest` microseconds."""
    await _first([asyncio.ensure_future(asyncio.wait(tasks))], clock, longest)


async def _first(waits: Sequence[asyncio.Future[Any]], clock: Clock, longest: Micros) -> None:
    timer = asyncio.ensure_future(clock.sleep(longest))
    try:
        await asyncio.wait((*waits, timer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (*waits, timer):
            each.cancel()
