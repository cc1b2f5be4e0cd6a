"""A client over the memory engine with a clock that the tests move; the tests play the worker themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.memory import MemoryStore
from stem.app import Stem
from stem.client.inspect import Inspector
from stem.stores.committer import Committer
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def bench(store: MemoryStore, clock: ManualClock) -> Bench:
    """The worker's hands: lease, settle, report."""
    return Bench(store, clock)


@pytest.fixture
async def committer(store: MemoryStore, clock: ManualClock) -> AsyncIterator[Committer]:
    made = Committer(store, clock=clock)
    yield made
    await made.aclose()


@pytest.fixture
def inspector(store: MemoryStore, committer: Committer) -> Inspector:
    return Inspector(store, committer)


@pytest.fixture
async def stem(store: MemoryStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stem]:
    """A whole client whose store is the one that the tests hold."""

    async def open_it(*_: object) -> MemoryStore:
        return store

    monkeypatch.setattr("stem.stores.open.open_store", open_it)
    async with Stem("memory://", clock=clock) as opened:
        yield opened
