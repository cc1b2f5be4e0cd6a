"""The journal keeps the contract: the public suite says so, on a file, and again on one that was opened anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts import StoreContract


class TestJournal(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def store(self, options: StoreOptions, tmp_path: Path) -> AsyncIterator[Store]:
        store = await open_store(f"journal:///{tmp_path}/tasks.journal", options)
        yield store
        await store.aclose()
