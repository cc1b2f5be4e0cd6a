"""The public contract suite on SQLite, one file for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts import StoreContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def store(self, options: StoreOptions, tmp_path: Path) -> AsyncIterator[Store]:
        store = await open_store(f"sqlite:///{tmp_path}/stem.db", options)
        yield store
        await store.aclose()

    @pytest.fixture
    async def second_store(self, store: Store, options: StoreOptions, tmp_path: Path) -> AsyncIterator[Store]:
        second = await open_store(f"sqlite:///{tmp_path}/stem.db", options)
        yield second
        await second.aclose()

    @pytest.fixture
    async def foreign_store(self, options: StoreOptions, tmp_path: Path) -> AsyncIterator[Store]:
        foreign = await open_store(f"sqlite:///{tmp_path}/another.db", options)
        yield foreign
        await foreign.aclose()
