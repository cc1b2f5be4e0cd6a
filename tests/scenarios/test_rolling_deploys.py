"""Two releases of a program on one store, as during every deploy: nothing is lost, nothing runs as what it is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stem import Stem
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from tests.scenarios.support.engines import EVERYWHERE
from tests.scenarios.support.releases import NEW, OLD, RECEIPT, SHIP, SHIP_BEFORE, WEIGH
from tests.scenarios.support.waiting import eventually

pytestmark = pytest.mark.parametrize("engine", EVERYWHERE)

SOON = timedelta(seconds=20)


async def waits(*handles: TaskHandle[object]) -> None:
    """Return when all are parked: kept, seen, and not given to the same release again."""

    async def parked() -> bool:
        return {(await handle.status()).state for handle in handles} == {TaskState.PARKED}

    await eventually(parked, within=30, what="parked tasks")


async def test_a_newer_worker_runs_what_an_older_producer_enqueued(place: str) -> None:
    async with Stem(place) as stem:
        before = await SHIP_BEFORE.enqueue(stem, 3)
        async with stem.worker(NEW):
            assert await before.result(timeout=SOON) == "new 3000 g"
            assert await SHIP_BEFORE.enqueue_and_wait(stem, 4) == "new 4000 g"


async def test_an_older_worker_leaves_what_a_newer_producer_enqueued_to_a_newer_one(place: str) -> None:
    async with Stem(place) as stem:
        async with stem.worker(OLD):
            newer = [await SHIP.enqueue(stem, 1500, express=True), await RECEIPT.enqueue(stem)]
            await waits(*newer)
            assert await WEIGH.enqueue_and_wait(stem, 7) == 7
        async with stem.worker(NEW):
            assert [await handle.result(timeout=SOON) for handle in newer] == ["new 1500 g express", "receipt"]
        assert {(await handle.status()).attempt for handle in newer} == {0}


async def test_a_deploy_that_is_taken_back_keeps_what_the_newer_release_enqueued_until_it_comes_again(
    place: str,
) -> None:
    async with Stem(place) as stem:
        async with stem.worker(NEW):
            assert await SHIP.enqueue_and_wait(stem, 1) == "new 1 g"
        newer, older = await SHIP.enqueue(stem, 2), await SHIP_BEFORE.enqueue(stem, 2)
        async with stem.worker(OLD):
            assert await older.result(timeout=SOON) == "old 2000 g"
            await waits(newer)
        async with stem.worker(NEW):
            assert await newer.result(timeout=SOON) == "new 2 g"


async def test_while_both_releases_work_each_task_runs_once_and_where_it_can(place: str) -> None:
    async with Stem(place) as stem, stem.worker(OLD, name="old"), stem.worker(NEW, name="new"):
        newer = [await SHIP.enqueue(stem, number) for number in range(20)]
        older = [await SHIP_BEFORE.enqueue(stem, number) for number in range(20)]
        done = await asyncio.gather(*(handle.result(timeout=SOON) for handle in [*newer, *older]))
        assert done[:20] == [f"new {number} g" for number in range(20)]
        kilos = [result.split(" ", 1)[1] for result in done[20:]]
        assert kilos == [f"{number * 1000} g" for number in range(20)]
        statuses = [await handle.status() for handle in newer]
    assert {(status.worker, status.attempt) for status in statuses} == {("new", 0)}
