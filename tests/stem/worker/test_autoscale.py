"""More places while tasks wait, fewer when they are not needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stem.errors import ConfigError, StoreUnavailable
from stem.registry import definition
from stem.testing import ManualClock
from stem.worker.autoscale import Bounds, next_concurrency
from stem.worker.settings import WorkerSettings
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Workshop, eventually, turns

BOUNDS = Bounds(2, 12, SECOND)
SCALED = WorkerSettings(name="worker-1", concurrency=8, min_concurrency=2)


@pytest.fixture(autouse=True)
async def gate() -> AsyncIterator[tasks.Gate]:
    tasks.gates.gate = tasks.Gate()
    yield tasks.gates.gate
    tasks.gates.gate.open()


@pytest.mark.parametrize(
    ("present", "busy", "waited", "wanted"),
    [
        (2, 2, 2 * SECOND, 4),
        (8, 8, 2 * SECOND, 12),
        (12, 12, 9 * SECOND, 12),
        (4, 3, 2 * SECOND, 4),
        (4, 4, SECOND, 4),
        (8, 4, 0, 4),
        (8, 5, 0, 8),
        (8, 1, SECOND, 8),
        (3, 0, 0, 2),
        (2, 0, 0, 2),
    ],
)
def test_places_are_doubled_and_halved_between_the_bounds(present: int, busy: int, waited: int, wanted: int) -> None:
    assert next_concurrency(present, busy=busy, waited=waited, bounds=BOUNDS) == wanted


async def test_a_worker_grows_while_tasks_wait_and_shrinks_when_they_are_done(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    for _ in range(20):
        await shop.enqueue(definition(tasks.holds).call())
    async with shop.worker(tasks.holds, settings=SCALED) as worker:
        await eventually(lambda: gate.entered == 2)
        await clock.run_for(5.1)
        await eventually(lambda: gate.entered == 4)
        await clock.run_for(10)
        await eventually(lambda: gate.entered == 8)
        (beat,) = await shop.store.workers()
        assert beat.heartbeat.concurrency == 8
        gate.open()
        await eventually(lambda: gate.left == 20)
        await clock.run_for(30)
        (beat,) = await shop.store.workers()
        assert (beat.heartbeat.concurrency, worker.running) == (2, 0)


async def test_a_store_that_does_not_answer_changes_nothing(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise StoreUnavailable(expected="an answer", found="none", do="Wait.")

    async with shop.worker(tasks.add, settings=SCALED) as worker:
        monkeypatch.setattr(shop.store, "queues", fail)
        await clock.run_for(6)
        await turns()
        assert worker.health.live
    assert "how long tasks wait could not be read" in caplog.text


async def test_without_a_minimum_nothing_is_asked(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def ask() -> None:
        asked.set()

    monkeypatch.setattr(shop.store, "queues", ask)
    async with shop.worker(tasks.add):
        await clock.run_for(20)
    assert not asked.is_set()


@pytest.mark.parametrize("least", [0, 9])
def test_a_minimum_lies_between_one_and_the_concurrency(least: int) -> None:
    with pytest.raises(ConfigError, match="min_concurrency"):
        WorkerSettings(concurrency=8, min_concurrency=least)


def test_a_wait_is_longer_than_zero() -> None:
    with pytest.raises(ConfigError, match="max_wait"):
        WorkerSettings(max_wait=timedelta(0))
