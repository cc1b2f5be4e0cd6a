"""Waiting for something that other processes do: by looking, with a deadline, and never for a time to pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from inspect import isawaitable

__all__ = ["eventually"]

_PAUSE = 0.02


async def eventually(condition: Callable[[], object], *, within: float = 60.0, what: str = "") -> None:
    """Return when `condition`, which may be a coroutine function, is true; fail when it is not `within` seconds."""
    deadline = time.monotonic() + within
    while not await _holds(condition):
        assert time.monotonic() < deadline, f"after {within:g} s still not: {what or condition}"
        await asyncio.sleep(_PAUSE)


async def _holds(condition: Callable[[], object]) -> bool:
    answer = condition()
    return bool(await answer if isawaitable(answer) else answer)
