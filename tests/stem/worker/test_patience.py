"""Middleware that does not end is waited for no longer than it may take, and holds no slot after that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stem import TaskContext, task
from stem.registry import definition
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing import ManualClock
from stem.worker.decide import Stop
from tests.stem.worker import tasks
from tests.stem.worker.middlewares import Around, Hangs
from tests.stem.worker.support import Hands, Workshop, turns

HARD = timedelta(seconds=9)


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


@task(name="tests.nothing")
async def nothing() -> None: ...


@task(name="tests.limited", hard_time_limit=HARD, max_retries=0)
async def limited() -> None:
    await asyncio.sleep(0)


@task(name="tests.endless", hard_time_limit=HARD, max_retries=0)
async def endless() -> None:
    await asyncio.Event().wait()


@task(name="tests.follows", max_retries=0)
async def follows(ctx: TaskContext) -> None:
    ctx.follow_up(definition(tasks.add).call(1, 2))


async def _begun(shop: Workshop, handler: Callable[..., Any], *middleware: Hangs | Around) -> tuple[str, Hands]:
    shop.use(*middleware)
    hands = shop.hands(handler, concurrency=1)
    hands.fetch()
    task_id = await shop.enqueue(definition(handler).options(max_retries=0).call())
    await turns()
    return task_id, hands


async def _later(hands: Hands, clock: ManualClock, seconds: float) -> None:
    await clock.run_for(seconds)
    await hands.engine.tidy()
    await clock.run_for(0)


async def _failure(shop: Workshop, task_id: str) -> Failure:
    record = await shop.bench.record(task_id)
    assert record.state is TaskState.FAILED
    assert record.error is not None
    return record.error


@pytest.mark.parametrize("where", ["before", "after", "follow"])
async def test_the_attempt_fails_when_a_part_of_it_takes_longer_than_its_limit(
    shop: Workshop, clock: ManualClock, where: str
) -> None:
    handler = follows if where == "follow" else nothing
    task_id, hands = await _begun(shop, handler, Around("outer", []), Hangs(where), Around("inner", []))
    await _later(hands, clock, 29.9)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await _later(hands, clock, 0.2)
    error = await _failure(shop, task_id)
    name = "the middleware around its follow-ups" if where == "follow" else "Hangs"
    assert (error.kind, error.code) == ("MiddlewareFailed", "STEM-E053")
    assert f"to end within 30 s; found no end of {name}. Give what it waits for a timeout" in error.message


async def test_the_handlers_own_time_is_not_counted(shop: Workshop, clock: ManualClock, gate: tasks.Gate) -> None:
    task_id, hands = await _begun(shop, tasks.holds, Around("around", []))
    await _later(hands, clock, 3600)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    hands.engine.end_all(Stop.SHUTDOWN)


async def test_one_that_ignores_its_cancellation_holds_no_slot_and_runs_no_handler(
    shop: Workshop, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = Hangs("before", deaf=True)
    task_id, hands = await _begun(shop, nothing, deaf)
    await _later(hands, clock, 30)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await _later(hands, clock, 1)
    assert (await _failure(shop, task_id)).kind == "MiddlewareFailed"
    assert hands.engine.slots.free == 1
    deaf.released.set()
    await turns()
    assert hands.stats.handled == 0
    assert "Hangs goes on although it was cancelled" in caplog.text


@pytest.mark.parametrize("where", ["before", "after"])
async def test_the_hard_time_limit_covers_it(shop: Workshop, clock: ManualClock, where: str) -> None:
    task_id, hands = await _begun(shop, limited, Hangs(where))
    await _later(hands, clock, 8.9)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await _later(hands, clock, 0.2)
    assert "to end within 9 s" in (await _failure(shop, task_id)).message


async def test_what_it_took_before_the_handler_is_taken_off_the_hard_limit(shop: Workshop, clock: ManualClock) -> None:
    slow = Hangs("before")
    task_id, hands = await _begun(shop, endless, slow)
    await _later(hands, clock, 4)
    slow.released.set()
    await _later(hands, clock, 4.9)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await _later(hands, clock, 0.2)
    assert (await _failure(shop, task_id)).kind == "HardTimeLimit"


async def test_the_handlers_error_stands_when_what_is_around_it_does_not_end(
    shop: Workshop, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    task_id, hands = await _begun(shop, endless, Hangs("after"))
    await _later(hands, clock, 9)
    await _later(hands, clock, 1)
    assert (await _failure(shop, task_id)).kind == "HardTimeLimit"
    assert "the handler's error stands" in caplog.text


async def test_a_stop_does_not_wait_longer_either(shop: Workshop, clock: ManualClock) -> None:
    deaf = Hangs("before", deaf=True)
    task_id, hands = await _begun(shop, nothing, deaf)
    hands.engine.end_all(Stop.TERMINATE)
    await _later(hands, clock, 30)
    assert await shop.bench.state(task_id) is TaskState.CANCELLED
    assert hands.engine.slots.free == 1
    deaf.released.set()
