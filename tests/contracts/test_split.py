"""Messages on one engine and results on another keep the contract, whatever the two are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.stores.open import open_split
from stem.testing import ManualClock
from stem.testing.contracts import StoreContract


class TestSqliteAndMemory(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def store(self, options: StoreOptions, tmp_path: Path) -> AsyncIterator[Store]:
        store = await open_split(f"sqlite:///{tmp_path}/stem.db", "memory://", options)
        yield store
        await store.aclose()
