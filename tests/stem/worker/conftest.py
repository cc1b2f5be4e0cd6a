"""Workers over the memory engine, with a clock that the tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.memory import MemoryStore
from stem.stores.committer import Committer
from stem.testing import ManualClock
from tests.stem.worker.support import Workshop


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
async def shop(store: MemoryStore, clock: ManualClock) -> AsyncIterator[Workshop]:
    commits = Committer(store, clock=clock)
    shop = Workshop.over(store, clock, commits)
    yield shop
    await shop.aclose()
    await commits.aclose()
