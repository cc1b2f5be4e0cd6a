"""Whoever waits for a result gets it, also when the word of it came before, or never came."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stem import Registry, Stem
from stem.tasks.state import TaskState
from stem.testing.contracts.build import Bench
from tests.scenarios.support.engines import EVERYWHERE
from tests.scenarios.support.jobs import QUICK, quick
from tests.scenarios.support.unlucky import as_time_passes, without
from tests.scenarios.support.waiting import eventually

pytestmark = pytest.mark.parametrize("engine", EVERYWHERE)


async def test_who_asks_after_the_end_is_answered_at_once(place: str) -> None:
    async with Stem(place) as stem, stem.worker(Registry.of(quick)):
        handle = await QUICK.enqueue(stem, 7)

        async def ended() -> bool:
            return (await handle.status()).state is TaskState.SUCCEEDED

        await eventually(ended, within=30)
        assert await QUICK.handle(stem, handle.id).result(timeout=timedelta(seconds=5)) == 7


async def test_who_waits_and_whose_notices_are_lost_looks_and_finds_it(bench: Bench) -> None:
    deaf = without("notice")
    stem = Stem("memory://", clock=bench.clock, wrap=lambda _: deaf.around(bench.store))
    async with stem, stem.worker(Registry.of(quick)):
        waiting = asyncio.ensure_future(QUICK.options(max_retries=50).enqueue_and_wait(stem, 7))

        async def answered() -> bool:
            return waiting.done()

        await as_time_passes(answered, bench)
        assert await waiting == 7
    assert {point.method for point in deaf.record} == {"notice"}
