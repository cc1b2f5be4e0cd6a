"""The memory engine keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts import StoreContract


class TestMemory(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def store(self, options: StoreOptions) -> AsyncIterator[Store]:
        store = await open_store("memory://", options)
        yield store
        await store.aclose()
