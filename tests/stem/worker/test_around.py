"""Middleware sees attempts and their errors, and changes no more of them than it may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem import Retry, TaskContext, task
from stem.registry import definition
from stem.signals import GiveUp, Middleware, RetryLater
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, TaskRecord
from stem.testing import ManualClock
from stem.worker.decide import Reason, Stop
from tests.stem.worker import tasks
from tests.stem.worker.middlewares import Around, Breaks, Decides, Skips, Tenant, tenant
from tests.stem.worker.support import SECOND, Hands, Workshop, eventually, turns


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


@task(name="tests.whose")
async def whose() -> str:
    return tenant.get()


@task(name="tests.whose_thread")
def whose_thread() -> str:
    return tenant.get()


@task(name="tests.follows", max_retries=0)
def follows(ctx: TaskContext) -> str:
    return ctx.follow_up(definition(whose).options(queue="other").call())


@task(name="tests.asks", max_retries=0)
async def asks(ctx: TaskContext) -> str:
    return (await ctx.enqueue(definition(whose).options(queue="other").call())).id


def _working(shop: Workshop, *middleware: Middleware, handler: object) -> Hands:
    assert callable(handler)
    shop.use(*middleware)
    hands = shop.hands(handler)
    hands.fetch()
    return hands


async def _record(shop: Workshop, task_id: str) -> TaskRecord:
    await turns()
    return await shop.bench.record(task_id)


def _error(record: TaskRecord) -> Failure:
    assert record.error is not None
    return record.error


async def test_the_first_one_is_outermost_and_is_around_every_attempt(shop: Workshop, clock: ManualClock) -> None:
    notes: list[str] = []
    _working(shop, Around("a", notes), Around("b", notes), handler=tasks.fails)
    await shop.enqueue(definition(tasks.fails).options(max_retries=1).call())
    await turns()
    assert notes == ["a before 0", "b before 0", "b after", "a after"]
    await clock.run_for(2)
    assert notes[4:] == ["a before 1", "b before 1", "b after", "a after"]


@pytest.mark.parametrize("handler", [whose, whose_thread], ids=["loop", "thread"])
async def test_the_handler_sees_the_context_variables_that_were_set(shop: Workshop, handler: object) -> None:
    hands = _working(shop, Tenant(), handler=handler)
    task_id = await shop.enqueue(definition(handler).options(headers={"tenant": "acme"}).call())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownArgumentType, reportUnknownMemberType] - either of them
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 1)
    assert (await shop.bench.record(task_id)).result == b'"acme"'


@pytest.mark.parametrize("handler", [follows, asks], ids=["follow_up", "enqueue"])
async def test_what_a_task_publishes_goes_through_the_middleware_in_its_context(
    shop: Workshop, handler: object
) -> None:
    hands = _working(shop, Tenant(), handler=handler)
    await shop.enqueue(definition(handler).options(headers={"tenant": "acme"}).call())  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownArgumentType, reportUnknownMemberType] - either of them
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 1)
    (child,) = [record for record in (await shop.bench.everything()).values() if record.name == "tests.whose"]
    assert decode_envelope(child.envelope).headers == {"tenant": "acme"}


@pytest.mark.parametrize(("where", "found"), [("before", "KeyError"), ("after", "KeyError"), ("twice", "RuntimeError")])
async def test_one_that_raises_fails_the_attempt_under_its_own_name(shop: Workshop, where: str, found: str) -> None:
    _working(shop, Breaks(where), handler=tasks.add)
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    record = await _record(shop, task_id)
    assert record.state is TaskState.RETRYING
    assert (_error(record).kind, _error(record).code) == ("MiddlewareFailed", "STEM-E053")
    assert f"found {found} from Breaks" in _error(record).message
    assert found in _error(record).traceback


async def test_one_that_does_not_run_the_handler_fails_the_attempt(shop: Workshop) -> None:
    hands = _working(shop, Around("outer", []), Skips(), handler=tasks.add)
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    assert "without the handler having run from Skips" in _error(await _record(shop, task_id)).message
    assert hands.stats.handled == 0


@pytest.mark.parametrize("where", ["swallows", "on error"])
async def test_the_handlers_own_error_stands_whatever_is_made_of_it(shop: Workshop, where: str) -> None:
    _working(shop, Breaks(where), handler=tasks.fails)
    record = await _record(shop, await shop.enqueue(definition(tasks.fails).call()))
    assert record.state is TaskState.RETRYING
    assert (_error(record).kind, _error(record).message) == ("ValueError", "no such card")
    assert "middlewares.py" not in _error(record).traceback


async def test_an_attempt_that_is_stopped_inside_of_middleware_goes_back(shop: Workshop) -> None:
    hands = _working(shop, Around("a", []), handler=tasks.holds)
    task_id = await shop.enqueue(definition(tasks.holds).call())
    await turns()
    hands.engine.end_all(Stop.SHUTDOWN)
    record = await _record(shop, task_id)
    assert (hands.stats.of(TaskEvent.RELEASED), record.attempt) == (1, 0)


async def test_the_first_answer_to_an_error_counts(shop: Workshop, clock: ManualClock) -> None:
    first, second, third = Decides(None), Decides(RetryLater(timedelta(seconds=40))), Decides(GiveUp())
    _working(shop, first, second, third, handler=tasks.fails)
    record = await _record(shop, await shop.enqueue(definition(tasks.fails).call()))
    assert (record.state, record.due_at) == (TaskState.RETRYING, clock.now() + 40 * SECOND)
    assert _error(record).kind == "ValueError"
    assert (first.seen, second.seen, third.seen) == (["tests.fails: no such card"], ["tests.fails: no such card"], [])


async def test_giving_up_buries_the_task_at_once(shop: Workshop) -> None:
    _working(shop, Decides(GiveUp()), handler=tasks.fails)
    record = await _record(shop, await shop.enqueue(definition(tasks.fails).call()))
    assert (record.state, record.bury_reason, record.attempt) == (TaskState.FAILED, Reason.NOT_RETRIED, 0)


async def test_what_its_retry_would_give_up_may_be_retried_but_not_beyond_its_attempts(
    shop: Workshop, clock: ManualClock
) -> None:
    @task(name="tests.gives_up_soon", max_retries=1, retry=Retry(give_up_on=(ValueError,)))
    async def gives_up_soon() -> None:
        raise ValueError("no such card")

    hands = _working(shop, Decides(RetryLater(timedelta(0))), handler=gives_up_soon)
    record = await _record(shop, await shop.enqueue(definition(gives_up_soon).call()))
    assert (record.state, record.bury_reason) == (TaskState.FAILED, Reason.RETRIES_USED_UP)
    assert hands.stats.handled == 2


@pytest.mark.parametrize("answer", [KeyError("mine"), "later", "hang"], ids=["raises", "wrong", "hangs"])
async def test_an_answer_that_is_none_changes_nothing_and_is_logged(
    shop: Workshop, clock: ManualClock, caplog: pytest.LogCaptureFixture, answer: BaseException | str
) -> None:
    _working(shop, Decides(answer), Decides(GiveUp()), handler=tasks.fails)
    task_id = await shop.enqueue(definition(tasks.fails).call())
    await turns()
    await clock.run_for(5)
    assert (await _record(shop, task_id)).bury_reason == Reason.NOT_RETRIED
    assert "Decides.on_error" in caplog.text


async def test_cancelling_wins_over_every_answer(shop: Workshop, gate: tasks.Gate) -> None:
    decides = Decides(RetryLater())
    hands = _working(shop, decides, handler=tasks.holds)
    task_id = await shop.enqueue(definition(tasks.holds).call())
    await turns()
    hands.engine.end_all(Stop.TERMINATE)
    assert (await _record(shop, task_id)).state is TaskState.CANCELLED
    assert decides.seen == []
