"""A store that takes its time to record outcomes slows its workers down, instead of filling their memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from stem import Registry, Stem
from stem.contracts.changes import Change, Settle, Verdict
from stem.contracts.store import Store
from stem.stores.delegate import StoreDelegate
from stem.worker.slots import MOST_SETTLING
from tests.scenarios.support.jobs import QUICK, quick

PLACES = 2
MOST = PLACES + MOST_SETTLING * PLACES
"""Handlers that may have ended, or run, while no outcome is recorded."""


class Slow(StoreDelegate):
    """Records no outcome before its door is open."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.door = asyncio.Event()
        self.came = asyncio.Event()

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """See `Store.commit`."""
        if any(isinstance(write, Settle) for change in changes for write in change.writes):
            self.came.set()
            await self.door.wait()
        return await super().commit(changes)


async def test_no_more_handlers_begin_while_outcomes_wait_and_all_is_done_when_they_can_be_recorded() -> None:
    made: list[Slow] = []

    def slowed(store: Store) -> Store:
        made.append(Slow(store))
        return made[-1]

    async with Stem("memory://", wrap=slowed) as stem, stem.worker(Registry.of(quick), concurrency=PLACES) as worker:
        batch = await stem.enqueue_many([QUICK.call(number) for number in range(200)])
        (store,) = made
        await store.came.wait()
        for _ in range(500):
            await asyncio.sleep(0)
        assert 0 < worker.stats.handled <= MOST
        store.door.set()
        assert await batch.result(timeout=timedelta(seconds=20)) == list(range(200))
