"""The public contract suite on PostgreSQL, on a server that the tests start; one schema for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.postgres import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.testing.clock import ManualClock
from stem.testing.contracts import StoreContract
from tests.server_postgres import drop_schema, postgres_url


class TestPostgres(StoreContract):
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def url(self) -> AsyncIterator[str]:
        url = postgres_url()
        yield url
        await drop_schema(url)

    @pytest.fixture
    async def store(self, options: StoreOptions, url: str) -> AsyncIterator[Store]:
        store = await open_store(url, options)
        yield store
        await store.aclose()

    @pytest.fixture
    async def second_store(self, store: Store, options: StoreOptions, url: str) -> AsyncIterator[Store]:
        second = await open_store(url, options)
        yield second
        await second.aclose()

    @pytest.fixture
    async def foreign_store(self, options: StoreOptions) -> AsyncIterator[Store]:
        url = postgres_url()
        foreign = await open_store(url, options)
        yield foreign
        await foreign.aclose()
        await drop_schema(url)
