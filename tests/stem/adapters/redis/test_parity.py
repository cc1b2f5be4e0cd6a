"""The same program means the same in memory and on Redis: the random steps of the SQLite test on both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.redis import RedisStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.stores.open import open_store
from stem.testing.clock import ManualClock
from tests.stem.adapters.sqlite.test_parity import LONG, SECOND, Walk, all_records, comparable, differences, step


@pytest.fixture
async def stores(clock: ManualClock, store: RedisStore) -> AsyncIterator[list[Store]]:
    memory = await open_store("memory://", StoreOptions(clock=clock))
    yield [memory, store]
    await memory.aclose()


@pytest.mark.parametrize("pause", [4 * SECOND, LONG], ids=["short pauses", "long pauses"])
@pytest.mark.parametrize("seed", range(6))
async def test_random_steps_have_the_same_answers_and_leave_the_same_records(
    clock: ManualClock, stores: list[Store], monkeypatch: pytest.MonkeyPatch, seed: int, pause: int
) -> None:
    monkeypatch.setattr("tests.stem.adapters.sqlite.test_parity.LONG", pause)
    walk = Walk(seed, limits=True)
    for _ in range(150):
        first, second = await step(walk, clock, stores)
        assert comparable(second) == comparable(first)
        memory, redis = [await all_records(store) for store in stores]
        assert differences(redis, memory) == []
        ids = list(memory)
        assert await stores[1].results(ids) == await stores[0].results(ids)
    assert await stores[1].queues() == await stores[0].queues()
