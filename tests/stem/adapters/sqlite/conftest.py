"""A store on a fresh file, its clock, and a plain connection to look behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "stem.db"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(database: Path, clock: ManualClock) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{database}", StoreOptions(clock=clock))
    yield store
    await store.aclose()


@pytest.fixture
def bench(store: Store, clock: ManualClock) -> Bench:
    return Bench(store, clock)


@pytest.fixture
def plain(store: Store, database: Path) -> Iterator[sqlite3.Connection]:
    """A connection of sqlite3 to the same file."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as connection:
        yield connection
