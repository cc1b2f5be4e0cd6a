"""Runs a test of the contract suite on an engine that breaks its promise, and on one that keeps it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.testing import ManualClock
from stem.testing.contracts import Bench

__all__ = ["Broken", "Promise", "assert_found", "names"]

Promise: TypeAlias = Callable[[Bench], Awaitable[None]]
Broken: TypeAlias = tuple[type[MemoryStore], Promise]


def names(broken: list[Broken]) -> list[str]:
    """What each case is called."""
    return [engine.__name__ for engine, _ in broken]


async def assert_found(case: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine fails the test of the promise that it breaks; an engine that keeps it passes."""
    engine, promise = case
    clock = ManualClock()
    with monkeypatch.context() as patch:
        patch.setattr("stem.testing.contracts.ear._PATIENCE", 0.0)
        with pytest.raises((AssertionError, KeyError, ValueError, TimeoutError)):
            await promise(Bench(engine(clock), clock))
    await promise(Bench(MemoryStore(clock), clock))
