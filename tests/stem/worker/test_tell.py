"""Whatever happens to a delivery or a worker is told, in its order, to those who listen."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stem import TaskContext, task
from stem.client.control import Controller
from stem.contracts.changes import Change, Release, Start
from stem.contracts.commands import CONTROL, Command, encode_command
from stem.errors import ConfigError
from stem.registry import definition
from stem.signals import (
    ControlCompletedEvent,
    Event,
    TaskExpiredEvent,
    TaskFailedEvent,
    TaskFinishedEvent,
    TaskLostEvent,
    TaskParkedEvent,
    TaskReleasedEvent,
    TaskRescuedEvent,
    TaskRetriedEvent,
    TaskSucceededEvent,
)
from stem.tasks.retry import DEFAULT_BACKOFF
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.worker.decide import Reason, Stop
from tests.stem.worker import tasks
from tests.stem.worker.support import Hands, Workshop, eventually, turns


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


@pytest.fixture
def told(shop: Workshop) -> list[Event]:
    events: list[Event] = []
    shop.signals.tap(events.append)
    return events


def _kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__.removesuffix("Event") for event in events]


async def _worked(shop: Workshop, *handlers: object) -> Hands:
    hands = shop.hands(*(handler for handler in handlers if callable(handler)))
    hands.fetch()
    await turns()
    return hands


@task(name="tests.wants_more", max_retries=0)
async def wants_more(ctx: TaskContext) -> str:
    return ctx.follow_up(definition(tasks.add).options(queue="other").call(1, b=2))


async def test_a_success_is_told_from_its_publishing_to_its_end(shop: Workshop, told: list[Event]) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await _worked(shop, tasks.add)

    order = ["TaskPublishing", "TaskPublished", "TaskReceived", "TaskStarted", "TaskSucceeded", "TaskFinished"]
    assert _kinds(told) == order
    success = told[4]
    assert isinstance(success, TaskSucceededEvent)
    assert (success.task_id, success.task, success.queue) == (task_id, "tests.add", "default")
    assert (success.worker, success.attempt, success.at.tzinfo is not None) == ("worker-1", 0, True)


async def test_no_event_shows_arguments_results_or_headers(shop: Workshop, told: list[Event]) -> None:
    call = definition(tasks.add).options(headers={"token": "s3cret"}, meta={"note": "s3cret"}).call(271828, 314159)
    await shop.enqueue(call)
    await _worked(shop, tasks.add)

    text = repr(told)
    assert len(told) == 6
    assert not any(secret in text for secret in ("271828", "314159", str(271828 + 314159), "s3cret"))


async def test_a_finished_attempt_tells_how_long_its_handler_ran(
    shop: Workshop, clock: ManualClock, told: list[Event], gate: tasks.Gate
) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    await _worked(shop, tasks.holds)
    clock.advance(3)
    gate.open()
    await turns()

    (end,) = (event for event in told if isinstance(event, TaskFinishedEvent))
    assert (end.state, end.ran) == (TaskState.SUCCEEDED, timedelta(seconds=3))


async def test_a_retry_tells_its_error_and_its_delay_and_the_last_failure_its_reason(
    shop: Workshop, clock: ManualClock, told: list[Event]
) -> None:
    await shop.enqueue(definition(tasks.fails).options(max_retries=1).call())
    await _worked(shop, tasks.fails)
    await clock.run_for(2)

    retried, failed = (event for event in told if isinstance(event, TaskRetriedEvent | TaskFailedEvent))
    assert isinstance(retried, TaskRetriedEvent)
    assert (retried.error.kind, retried.delay, retried.attempt) == ("ValueError", timedelta(seconds=2), 0)
    assert isinstance(failed, TaskFailedEvent)
    assert (failed.reason, failed.attempt) == (Reason.RETRIES_USED_UP, 1)
    ends = [event.state for event in told if isinstance(event, TaskFinishedEvent)]
    assert ends == [TaskState.RETRYING, TaskState.FAILED]


async def test_what_expired_or_is_unknown_is_told_without_a_start(
    shop: Workshop, clock: ManualClock, told: list[Event]
) -> None:
    await shop.enqueue(definition(tasks.add).options(expires=timedelta(seconds=1)).call(1, 2))
    await shop.enqueue(definition(tasks.fails).call())
    clock.advance(2)
    await _worked(shop, tasks.add)

    assert "TaskStarted" not in _kinds(told)
    expired, parked = (event for event in told if isinstance(event, TaskExpiredEvent | TaskParkedEvent))
    assert expired.task == "tests.add"
    assert isinstance(parked, TaskParkedEvent)
    assert (parked.reason, parked.pause) == (Reason.UNKNOWN_TASK, timedelta(minutes=5))


async def test_a_cancelled_attempt_is_told(shop: Workshop, told: list[Event]) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    hands = await _worked(shop, tasks.holds)
    hands.engine.end_all(Stop.TERMINATE)
    await turns()

    assert _kinds(told)[-2:] == ["TaskCancelled", "TaskFinished"]


async def test_what_goes_back_at_a_shutdown_is_told(shop: Workshop, told: list[Event]) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    hands = await _worked(shop, tasks.holds)
    hands.engine.end_all(Stop.SHUTDOWN)
    await turns()

    (released,) = (event for event in told if isinstance(event, TaskReleasedEvent))
    assert released.delay == timedelta(0)


async def test_an_outcome_that_comes_too_late_is_told_as_lost(
    shop: Workshop, clock: ManualClock, told: list[Event], gate: tasks.Gate
) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    await _worked(shop, tasks.holds)
    clock.advance(60)
    await shop.bench.take(*await shop.store.suspects())
    gate.open()
    await turns()

    (lost,) = (event for event in told if isinstance(event, TaskLostEvent))
    assert (lost.why, _kinds(told)[-1]) == ("fenced", "TaskLost")


async def test_a_lease_that_the_keeper_finds_lost_is_told(shop: Workshop, told: list[Event]) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    hands = await _worked(shop, tasks.holds)
    hands.engine.end_all(Stop.LOST)
    await turns()

    (lost,) = (event for event in told if isinstance(event, TaskLostEvent))
    assert lost.why == "fenced"


async def test_a_start_that_comes_too_late_is_told_as_lost(shop: Workshop, told: list[Event]) -> None:
    await shop.enqueue(definition(tasks.early).call())
    hands = shop.hands(tasks.early)
    given = await shop.bench.delivery()
    await shop.bench.apply(Release(), fence=given.fence)
    hands.engine.slots.offer(given, asked_at=shop.clock.elapsed())
    await turns()

    (lost,) = (event for event in told if isinstance(event, TaskLostEvent))
    assert lost.why == "fenced"


async def test_a_rescue_is_told_before_what_becomes_of_it(
    shop: Workshop, clock: ManualClock, told: list[Event]
) -> None:
    await shop.enqueue(definition(tasks.add).options(max_retries=0).call(1, 2))
    given = await shop.bench.delivery(worker="worker-dead")
    await shop.store.commit([Change((Start(DEFAULT_BACKOFF),), given.fence)])
    hands = shop.hands(tasks.add)
    for _ in range(8):
        await hands.engine.sweeper.sweep()
        await turns()
        clock.advance(2)

    rescued, failed = (event for event in told if isinstance(event, TaskRescuedEvent | TaskFailedEvent))
    assert isinstance(rescued, TaskRescuedEvent)
    assert (rescued.lost_by, rescued.crashed, rescued.crashes) == ("worker-dead", True, 1)
    assert isinstance(failed, TaskFailedEvent)
    assert failed.reason == Reason.CRASHED


async def test_a_duplicate_is_told_with_the_id_of_its_holder(shop: Workshop, told: list[Event]) -> None:
    unique = definition(tasks.add).options(unique_key="one")
    holder = await shop.enqueue(unique.call(1, 2))
    await shop.enqueue(unique.call(1, 2))

    assert _kinds(told) == ["TaskPublishing", "TaskPublished", "TaskPublishing", "TaskDuplicate"]
    assert getattr(told[-1], "task_id", "") == holder


async def test_a_follow_up_is_published_when_its_task_has_succeeded(shop: Workshop, told: list[Event]) -> None:
    await shop.enqueue(definition(wants_more).call())
    await _worked(shop, wants_more)

    assert _kinds(told)[-3:] == ["TaskSucceeded", "TaskPublished", "TaskFinished"]


async def test_a_worker_tells_its_life(shop: Workshop, told: list[Event]) -> None:
    async with shop.worker(tasks.add):
        pass

    assert _kinds(told) == ["WorkerStarting", "WorkerHeartbeat", "WorkerReady", "WorkerStopping", "WorkerStopped"]


async def test_what_operators_ask_of_a_worker_is_told_with_how_it_ended(
    shop: Workshop, clock: ManualClock, told: list[Event]
) -> None:
    control = Controller(shop.store, clock=clock)
    async with shop.worker(tasks.add):
        await control.ping()
        wrong = Command(id="command-2", kind="stop", arguments={"mode": "at once"})
        await shop.store.broadcast(CONTROL, encode_command(wrong), message_id=wrong.id)
        await eventually(lambda: _kinds(told).count("ControlCompleted") == 2)

    ends = [event for event in told if isinstance(event, ControlCompletedEvent)]
    assert [(event.kind, event.error) for event in ends] == [("ping", None), ("stop", "ConfigError")]
    assert _kinds(told).count("ControlReceived") == 2


async def test_a_worker_that_cannot_start_tells_why(shop: Workshop, told: list[Event]) -> None:
    def broken() -> object:
        raise OSError("no route to the database")

    with pytest.raises(ConfigError):
        async with shop.worker(tasks.add, lifespan=broken):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - wrong on purpose
            pass
    assert _kinds(told) == ["WorkerStarting", "WorkerStopped"]
    assert getattr(told[-1], "error", None) == "ConfigError"


async def test_the_events_of_a_worker_are_a_stream_that_ends_with_it(shop: Workshop) -> None:
    worker = shop.worker(tasks.add)
    async with worker.events() as events:
        async with worker:
            await shop.enqueue(definition(tasks.add).call(1, 2))
            await eventually(lambda: sum(worker.stats.ended.values()) == 1)
        kinds = _kinds([event async for event in events])
    assert kinds[2:6] == ["WorkerReady", "TaskReceived", "TaskStarted", "TaskSucceeded"]
    assert kinds[-1] == "WorkerStopped"


async def test_a_handler_of_signals_that_hangs_does_not_hold_up_the_worker(shop: Workshop) -> None:
    async def hang(event: Event) -> None:
        await asyncio.Event().wait()

    shop.signals.task_received.connect(hang)
    for number in range(5):
        await shop.enqueue(definition(tasks.add).call(number, 2))
    hands = await _worked(shop, tasks.add)
    assert sum(hands.stats.ended.values()) == 5
