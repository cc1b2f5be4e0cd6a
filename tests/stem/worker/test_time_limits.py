"""What happens at the soft and at the hard limit, on the loop and in a thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stem import ConfigError, Registry, Retry, SoftTimeLimit, TaskContext, task
from stem.clock import from_micros
from stem.registry import definition
from stem.tasks.options import HandlerOptions, RunIn
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing import ManualClock
from stem.worker.decide import Stop
from stem.worker.run import make_jobs
from stem.worker.time_limits import TimeLimits, limits_of
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, eventually, turns

SOFT, HARD = timedelta(seconds=5), timedelta(seconds=9)


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


async def _running(shop: Workshop, handler: Callable[..., Any], *, concurrency: int = 10) -> tuple[str, Hands]:
    task_id = await shop.enqueue(definition(handler).call())
    hands = shop.hands(handler, concurrency=concurrency)
    hands.fetch()
    await turns()
    return task_id, hands


async def _failed(shop: Workshop, task_id: str, kind: str) -> TaskRecord:
    await turns()
    record = await shop.bench.record(task_id)
    assert record.error is not None
    assert record.error.kind == kind
    return record


async def test_on_the_loop_the_soft_limit_is_raised_inside_where_the_task_can_clean_up(
    shop: Workshop, clock: ManualClock
) -> None:
    @task(name="tests.soft", soft_time_limit=SOFT)
    async def soft() -> str:
        try:
            await asyncio.sleep(3600)
        except SoftTimeLimit as error:
            await asyncio.sleep(0)
            return error.code
        return "never"

    task_id, _ = await _running(shop, soft)
    await clock.run_for(4.9)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await clock.run_for(0.2)

    record = await shop.bench.record(task_id)
    assert (record.state, record.result) == (TaskState.SUCCEEDED, b'"STEM-E050"')


async def test_a_soft_limit_that_nobody_catches_fails_the_attempt(shop: Workshop, clock: ManualClock) -> None:
    @task(name="tests.soft", soft_time_limit=SOFT)
    async def soft() -> None:
        await asyncio.sleep(3600)

    task_id, _ = await _running(shop, soft)
    await clock.run_for(5)

    record = await _failed(shop, task_id, "SoftTimeLimit")
    assert (record.state, record.attempt) == (TaskState.RETRYING, 1)
    assert record.error is not None
    assert (record.error.code, "in soft" in record.error.traceback) == ("STEM-E050", True)


async def test_the_soft_limit_is_raised_once_and_the_hard_one_ends_what_goes_on(
    shop: Workshop, clock: ManualClock
) -> None:
    seen: list[str] = []

    @task(name="tests.stays", soft_time_limit=SOFT, hard_time_limit=HARD)
    async def stays() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(3600)
            except SoftTimeLimit:
                seen.append("soft")

    task_id, hands = await _running(shop, stays)
    await clock.run_for(8.9)
    assert seen == ["soft"]
    await clock.run_for(0.2)

    await _failed(shop, task_id, "HardTimeLimit")
    assert hands.engine.slots.free == 10


async def test_what_a_library_waits_for_is_cancelled_with_the_soft_limit(shop: Workshop, clock: ManualClock) -> None:
    inner: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            inner.append("ended")

    @task(name="tests.soft", soft_time_limit=SOFT)
    async def soft() -> None:
        await asyncio.wait_for(work(), 7200)

    task_id, _ = await _running(shop, soft)
    await clock.run_for(5)

    await _failed(shop, task_id, "SoftTimeLimit")
    assert inner == ["ended"]


async def test_values_and_errors_pass_through_limits(shop: Workshop) -> None:
    @task(name="tests.quick", soft_time_limit=SOFT, hard_time_limit=HARD, max_retries=0)
    async def quick(fail: bool = False) -> int:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0)
        except TimeoutError:
            if fail:
                raise KeyError("x") from None
        return 7

    task_id, _ = await _running(shop, quick)
    assert (await shop.bench.record(task_id)).result == b"7"
    failing = await shop.enqueue(definition(quick).call(fail=True))
    await _failed(shop, failing, "KeyError")


@pytest.mark.parametrize("run_in", ["loop", "thread"])
async def test_a_limited_task_that_wants_to_exit_fails_and_takes_no_worker_along(run_in: RunIn, shop: Workshop) -> None:
    @task(name="tests.quits", hard_time_limit=HARD, max_retries=0, run_in=run_in)
    async def quits() -> None:
        raise SystemExit(3)

    task_id, hands = await _running(shop, quits)
    await eventually(lambda: hands.engine.slots.idle)

    await _failed(shop, task_id, "SystemExit")


async def test_the_hard_limit_is_an_attempt_and_its_retry_is_a_retry_like_any_other(
    shop: Workshop, clock: ManualClock
) -> None:
    @task(name="tests.hard", hard_time_limit=HARD, max_retries=1, retry=Retry(initial=timedelta(seconds=2), jitter=0.0))
    async def hard() -> None:
        await asyncio.sleep(3600)

    task_id, hands = await _running(shop, hard)
    await clock.run_for(9)
    assert (await _failed(shop, task_id, "HardTimeLimit")).state is TaskState.RETRYING
    await clock.run_for(2 + 9)

    assert (await _failed(shop, task_id, "HardTimeLimit")).state is TaskState.FAILED
    assert hands.stats.handled == 2


async def test_a_task_that_ignores_its_cancellation_is_decided_and_keeps_its_slot(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    @task(name="tests.deaf", hard_time_limit=HARD)
    async def deaf() -> None:
        while not gate.left:
            try:
                await gate.passing()
            except asyncio.CancelledError:
                continue

    task_id, hands = await _running(shop, deaf, concurrency=1)
    await clock.run_for(9.5)
    assert await shop.bench.state(task_id) is TaskState.RUNNING
    await clock.run_for(1)

    await _failed(shop, task_id, "HardTimeLimit")
    assert hands.engine.slots.free == 0
    gate.open()
    await turns()
    assert hands.engine.slots.free == 1


async def test_a_limit_does_not_hide_why_an_attempt_was_stopped(shop: Workshop) -> None:
    @task(name="tests.soft", soft_time_limit=SOFT, hard_time_limit=HARD)
    async def soft() -> None:
        await asyncio.sleep(3600)

    task_id, hands = await _running(shop, soft)
    hands.engine.fetcher.stop()
    hands.engine.end_all(Stop.SHUTDOWN)
    await turns()

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt, record.error) == (TaskState.QUEUED, 0, None)


async def test_in_a_thread_the_soft_limit_tells_the_context_and_the_log(
    shop: Workshop, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    began = threading.Event()

    @task(name="tests.looks", soft_time_limit=SOFT, hard_time_limit=HARD)
    def looks(ctx: TaskContext) -> str:
        began.set()
        tasks.gates.gate.passing_in_thread()
        return f"cancelled {ctx.cancelled}"

    with caplog.at_level(logging.WARNING, "stem.worker"):
        task_id, hands = await _running(shop, looks)
        await eventually(began.is_set)
        await clock.run_for(5)
    tasks.gates.gate.open()
    await eventually(lambda: hands.engine.slots.idle)

    assert (await shop.bench.record(task_id)).result == b'"cancelled True"'
    assert "over its soft time limit" in caplog.text


async def test_a_thread_at_its_hard_limit_is_decided_at_once_and_keeps_its_slot_until_it_ends(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    @task(name="tests.blocks", hard_time_limit=HARD)
    def blocks() -> None:
        gate.passing_in_thread()

    task_id, hands = await _running(shop, blocks, concurrency=1)
    await eventually(lambda: gate.entered == 1)
    await clock.run_for(9)

    await _failed(shop, task_id, "HardTimeLimit")
    assert hands.engine.slots.free == 0
    gate.open()
    await eventually(lambda: hands.engine.slots.free == 1)


@pytest.mark.parametrize(("hard", "seconds"), [(HARD, 9), (None, 5)])
async def test_the_deadline_is_the_last_limit(
    hard: timedelta | None, seconds: int, shop: Workshop, clock: ManualClock
) -> None:
    seen: list[object] = []

    @task(name="tests.looks", soft_time_limit=SOFT, hard_time_limit=hard)
    async def looks(ctx: TaskContext) -> None:
        seen.append(ctx.deadline)

    await _running(shop, looks)
    assert seen == [from_micros(clock.now() + seconds * SECOND)]


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        (HandlerOptions(), None),
        (HandlerOptions(soft_time_limit=SOFT), TimeLimits(5 * SECOND, None)),
        (HandlerOptions(hard_time_limit=HARD), TimeLimits(None, 9 * SECOND)),
        (HandlerOptions(soft_time_limit=SOFT, hard_time_limit=HARD), TimeLimits(5 * SECOND, 9 * SECOND)),
    ],
)
def test_limits_are_those_of_the_decorator(options: HandlerOptions, limits: TimeLimits | None) -> None:
    assert limits_of(options) == limits


@pytest.mark.parametrize("soft", [HARD, HARD + SOFT])
def test_a_soft_limit_that_would_come_too_late_is_refused(soft: timedelta) -> None:
    with pytest.raises(ConfigError, match="shorter than `hard_time_limit`"):
        HandlerOptions(soft_time_limit=soft, hard_time_limit=HARD)


def test_a_plain_function_on_the_loop_cannot_be_limited_and_says_so() -> None:
    @task(name="tests.blocking", run_in="loop", hard_time_limit=HARD)
    def blocking() -> None:
        raise NotImplementedError

    with pytest.raises(ConfigError, match="nothing can interrupt"):
        make_jobs(Registry.of(blocking))
