"""Every way in which an attempt can end settles its delivery."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem import Retry, TaskContext, task
from stem.adapters.memory import MemoryStore
from stem.contracts.changes import APPLIED, Cancel, Change, Publish, RefusalCode, Refused, Release, Settle, Verdict
from stem.registry import definition
from stem.tasks.envelope import encode_envelope
from stem.tasks.links import After
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import make_envelope
from stem.worker.decide import Reason, Stop
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, eventually, turns


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


def _working(shop: Workshop, *handlers: object, concurrency: int = 10) -> Hands:
    known = [handler for handler in handlers if callable(handler)]
    hands = shop.hands(*known, concurrency=concurrency)
    hands.fetch()
    return hands


async def _ended(shop: Workshop, task_id: str) -> TaskState:
    await turns()
    return await shop.bench.state(task_id)


async def test_a_coroutine_handler_gives_its_result(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(2, b=3))
    hands = _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.SUCCEEDED
    assert (await shop.bench.record(task_id)).result == b"5"
    assert hands.stats.of(TaskEvent.SUCCEEDED) == 1


async def test_a_plain_handler_runs_in_a_thread(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.plain).call(7))
    hands = _working(shop, tasks.plain)
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 1)

    assert (await shop.bench.record(task_id)).result == b'"7 on stem-handler"'


async def test_an_error_is_recorded_and_the_task_comes_back_after_its_backoff(
    shop: Workshop, clock: ManualClock
) -> None:
    task_id = await shop.enqueue(definition(tasks.fails).call())
    hands = _working(shop, tasks.fails)
    assert await _ended(shop, task_id) is TaskState.RETRYING
    record = await shop.bench.record(task_id)
    assert record.error is not None
    assert (record.error.kind, record.error.message) == ("ValueError", "no such card")
    assert "in fails" in record.error.traceback
    assert "attempt.py" not in record.error.traceback
    assert (record.attempt, record.due_at) == (1, clock.now() + 2 * SECOND)

    await clock.run_for(2 + 4 + 8)

    record = await shop.bench.record(task_id)
    assert (record.state, record.bury_reason) == (TaskState.FAILED, Reason.RETRIES_USED_UP)
    assert hands.stats.handled == 4


async def test_the_retry_numbers_of_a_call_win_over_the_handlers(shop: Workshop, clock: ManualClock) -> None:
    seldom = definition(tasks.fails).options(retry=Retry(initial=timedelta(seconds=40), factor=3, jitter=0.0))
    task_id = await shop.enqueue(seldom.call())
    _working(shop, tasks.fails)

    waits: list[int] = []
    for _ in range(2):
        assert await _ended(shop, task_id) is TaskState.RETRYING
        due = (await shop.bench.record(task_id)).due_at
        assert due is not None
        waits.append((due - clock.now()) // SECOND)
        await clock.run_for(waits[-1])
    assert waits == [40, 120]


async def test_the_classes_of_a_calls_retry_stay_with_the_handler(shop: Workshop) -> None:
    call = definition(tasks.gives_up).options(retry=Retry(retry_on=(ValueError,))).call()
    task_id = await shop.enqueue(call)
    hands = _working(shop, tasks.gives_up)
    await eventually(lambda: hands.stats.of(TaskEvent.BURIED) == 1)

    assert (await shop.bench.record(task_id)).bury_reason == Reason.NOT_RETRIED


async def test_an_error_to_give_up_on_goes_to_the_dead_letters_at_once(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.gives_up).call())
    hands = _working(shop, tasks.gives_up)
    await eventually(lambda: hands.stats.of(TaskEvent.BURIED) == 1)

    assert (await shop.bench.record(task_id)).bury_reason == Reason.NOT_RETRIED


@pytest.mark.parametrize(
    ("handler", "kind"),
    [(tasks.quits, "SystemExit"), (tasks.self_cancels, "CancelledError"), (tasks.stops_iterating, "RuntimeError")],
)
async def test_whatever_a_handler_raises_is_the_failure_of_its_task_and_not_of_the_worker(
    shop: Workshop, handler: object, kind: str
) -> None:
    assert callable(handler)
    failing = await shop.enqueue(definition(handler).call())
    hands = _working(shop, handler, tasks.add)
    await eventually(lambda: hands.stats.of(TaskEvent.BURIED) == 1)
    record = await shop.bench.record(failing)
    assert record.error is not None
    assert record.error.kind == kind

    following = await shop.enqueue(definition(tasks.add).call(1, 1))

    assert await _ended(shop, following) is TaskState.SUCCEEDED


async def test_an_unknown_task_is_parked_and_not_taken_again_until_its_pause_ends(
    shop: Workshop, clock: ManualClock
) -> None:
    task_id = await shop.bench.put(name="tests.elsewhere")
    hands = _working(shop, tasks.add)
    assert await _ended(shop, task_id) is TaskState.PARKED
    assert (await shop.bench.record(task_id)).parked_reason == Reason.UNKNOWN_TASK

    await clock.run_for(299)
    assert hands.stats.of(TaskEvent.PARKED) == 1
    await clock.run_for(2)

    assert hands.stats.of(TaskEvent.PARKED) == 2


async def test_a_newer_version_is_parked(shop: Workshop) -> None:
    task_id = await shop.bench.put(name="tests.add", version=2, payload=b'{"a":1,"b":2}')
    _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.PARKED
    assert (await shop.bench.record(task_id)).parked_reason == Reason.NEWER_VERSION


async def test_an_older_version_runs_through_its_upcast(shop: Workshop) -> None:
    task_id = await shop.bench.put(name="tests.moved", version=1, payload=b'{"cents":300}')
    _working(shop, tasks.moved)

    assert await _ended(shop, task_id) is TaskState.SUCCEEDED
    assert (await shop.bench.record(task_id)).result == b"3"


async def test_an_upcast_that_raises_fails_the_attempt(shop: Workshop) -> None:
    task_id = await shop.bench.put(name="tests.moved", version=2, payload=b'{"euros":3}', max_retries=0)
    _working(shop, tasks.moved)

    assert await _ended(shop, task_id) is TaskState.FAILED
    error = (await shop.bench.record(task_id)).error
    assert error is not None
    assert error.kind == "LookupError"


async def test_bytes_that_are_no_envelope_are_buried(shop: Workshop) -> None:
    envelope = make_envelope(name="tests.add")
    await shop.bench.apply(Publish(envelope=envelope, body=b"\x00garbage"))
    _working(shop, tasks.add)

    assert await _ended(shop, envelope.id) is TaskState.FAILED
    assert (await shop.bench.record(envelope.id)).bury_reason == Reason.UNDECODABLE


async def test_arguments_that_do_not_fit_are_buried(shop: Workshop) -> None:
    task_id = await shop.bench.put(name="tests.add", payload=b'{"a":"x"}')
    _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.FAILED
    assert (await shop.bench.record(task_id)).bury_reason == Reason.UNDECODABLE


@pytest.mark.parametrize("handler", [tasks.wrong_result, tasks.unserializable])
async def test_a_result_that_cannot_be_encoded_ends_the_task_as_refused(shop: Workshop, handler: object) -> None:
    assert callable(handler)
    task_id = await shop.enqueue(definition(handler).call())
    _working(shop, handler)

    assert await _ended(shop, task_id) is TaskState.FAILED
    record = await shop.bench.record(task_id)
    assert record.bury_reason == Reason.RESULT_REFUSED
    assert record.error is not None
    assert record.error.kind == "ResultRefused"


async def test_a_result_that_is_ignored_is_there_for_who_begins_to_wait_while_its_task_runs(
    shop: Workshop, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).options(ignore_result=True).call())
    _working(shop, tasks.holds)
    await turns()
    assert gate.entered == 1

    await shop.bench.put(after=After(task_id))
    gate.open()

    assert await _ended(shop, task_id) is TaskState.SUCCEEDED
    assert (await shop.bench.record(task_id)).result == b'"through"'


@pytest.fixture
def picky(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes no result."""
    commit = store.commit

    async def refuse_results(changes: list[Change]) -> list[Verdict]:
        refused = Refused(RefusalCode.TOO_LARGE, "9 bytes")
        done = [[refused] if _has_result(change) else await commit([change]) for change in changes]
        return [verdict for each in done for verdict in each]

    monkeypatch.setattr(store, "commit", refuse_results)


@pytest.mark.usefixtures("picky")
async def test_a_result_that_is_ignored_and_too_large_is_left_out(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.add).options(ignore_result=True).call(1, 1))
    hands = _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.SUCCEEDED
    assert hands.stats.of(TaskEvent.SUCCEEDED) == 1


@pytest.mark.usefixtures("picky")
async def test_an_outcome_that_the_store_refuses_is_decided_again(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 1))
    _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.FAILED
    record = await shop.bench.record(task_id)
    assert record.bury_reason == Reason.RESULT_REFUSED
    assert record.error is not None
    assert "too_large" in record.error.message


def _has_result(change: Change) -> bool:
    return any(isinstance(write, Settle) and write.result is not None for write in change.writes)


async def test_an_expired_task_does_not_run(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.bench.put(name="tests.add", payload=b'{"a":1,"b":2}', expires=SECOND)
    clock.advance(2)
    hands = _working(shop, tasks.add)

    assert await _ended(shop, task_id) is TaskState.EXPIRED
    assert hands.stats.handled == 0


async def test_an_attempt_whose_lease_was_lost_is_cancelled_and_writes_nothing(
    shop: Workshop, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = _working(shop, tasks.holds)
    await turns()
    (held,) = hands.engine.slots.held()
    before = await shop.bench.record(task_id)

    held.end(Stop.LOST)
    await turns()

    assert (gate.entered, gate.left) == (1, 0)
    assert hands.engine.slots.busy == 0
    assert await shop.bench.record(task_id) == before


async def test_a_shutdown_gives_the_task_back_without_using_an_attempt(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds)
    await _offer(shop, hands)

    hands.engine.end_all(Stop.SHUTDOWN)

    assert await _ended(shop, task_id) is TaskState.QUEUED
    assert (await shop.bench.record(task_id)).attempt == 0


async def test_a_shutdown_ends_a_task_that_began_and_may_run_at_most_once(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.early).call())
    hands = shop.hands(tasks.early)
    await _offer(shop, hands)
    await turns()

    hands.engine.end_all(Stop.SHUTDOWN)

    assert await _ended(shop, task_id) is TaskState.FAILED
    assert (await shop.bench.record(task_id)).bury_reason == Reason.WORKER_LOST


async def test_a_program_that_cancels_its_tasks_gives_them_back(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds)
    await _offer(shop, hands)
    (held,) = hands.engine.slots.held()
    assert held.task is not None

    held.task.cancel()

    assert await _ended(shop, task_id) is TaskState.QUEUED
    assert (await shop.bench.record(task_id)).attempt == 0


async def _offer(shop: Workshop, hands: Hands) -> None:
    hands.engine.slots.offer(await shop.bench.delivery(), asked_at=shop.clock.elapsed())
    await turns()


async def test_what_a_handler_leaves_in_context_variables_does_not_reach_the_one_that_starts_in_its_slot(
    shop: Workshop,
) -> None:
    ids = [await shop.enqueue(definition(tasks.counts_in_context).call()) for _ in range(2)]
    hands = shop.hands(tasks.counts_in_context, concurrency=1)
    both = [await shop.bench.delivery() for _ in ids]
    hands.engine.slots.offer(*both, asked_at=shop.clock.elapsed())
    await turns()

    stored = await shop.store.results(ids)
    assert [stored[task_id].result for task_id in ids] == [b"1", b"1"]


async def test_an_attempt_that_is_stopped_before_its_first_turn_does_not_run(shop: Workshop, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds)
    hands.engine.slots.offer(await shop.bench.delivery(), asked_at=shop.clock.elapsed())
    hands.engine.end_all(Stop.SHUTDOWN)

    assert await _ended(shop, task_id) is TaskState.QUEUED
    assert gate.entered == 0


async def test_a_cancel_request_that_the_keeper_brings_ends_a_failing_task_as_cancelled(shop: Workshop) -> None:
    @task(name="tests.watchful")
    async def watchful(ctx: TaskContext) -> None:
        await tasks.gates.gate.passing()
        raise ValueError(f"cancelled {ctx.cancelled}")

    task_id = await shop.enqueue(definition(watchful).call())
    hands = _working(shop, watchful)
    await turns()
    assert await shop.bench.write(Cancel(task_id)) == APPLIED
    shop.clock.advance(4)
    hands.engine.keeper.tick()
    await turns()

    tasks.gates.gate.open()

    assert await _ended(shop, task_id) is TaskState.CANCELLED
    error = (await shop.bench.record(task_id)).error
    assert error is not None
    assert error.message == "cancelled True"


async def test_a_terminate_stops_the_attempt(shop: Workshop, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = _working(shop, tasks.holds)
    await turns()
    await shop.bench.apply(Cancel(task_id, terminate=True))
    shop.clock.advance(4)

    hands.engine.keeper.tick()

    assert await _ended(shop, task_id) is TaskState.CANCELLED
    assert gate.left == 0


async def test_a_thread_that_is_given_up_keeps_its_slot_until_it_ends(shop: Workshop, gate: tasks.Gate) -> None:
    await shop.enqueue(definition(tasks.holds_thread).call())
    hands = _working(shop, tasks.holds_thread, concurrency=1)
    await eventually(lambda: gate.entered == 1)

    hands.engine.end_all(Stop.LOST)
    await turns()
    assert hands.engine.slots.busy == 0
    assert hands.engine.slots.free == 0

    gate.open()
    await eventually(lambda: hands.engine.slots.free == 1)


async def test_a_task_that_runs_at_most_once_is_recorded_as_started_before_its_handler_runs(
    shop: Workshop, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.early).call())
    hands = shop.hands(tasks.early)
    given = await shop.bench.delivery()
    hands.engine.slots.offer(given, asked_at=shop.clock.elapsed())
    await turns()
    assert gate.entered == 1

    lost = await shop.bench.lose(given)

    assert (lost.started, lost.ack, lost.fence.task_id) == (True, "early", task_id)


async def test_a_task_that_runs_at_most_once_does_not_run_when_its_lease_is_gone(
    shop: Workshop, gate: tasks.Gate
) -> None:
    await shop.enqueue(definition(tasks.early).call())
    hands = shop.hands(tasks.early)
    given = await shop.bench.delivery()
    await shop.bench.apply(Release(), fence=given.fence)

    hands.engine.slots.offer(given, asked_at=shop.clock.elapsed())
    await turns()

    assert gate.entered == 0
    assert hands.stats.fenced == 1


async def test_an_outcome_under_a_lost_lease_is_dropped_and_decided_no_more(shop: Workshop, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds)
    given = await shop.bench.delivery()
    hands.engine.slots.offer(given, asked_at=shop.clock.elapsed())
    await turns()
    await shop.bench.apply(Release(), fence=given.fence, number=9)

    gate.open()
    await turns()

    assert hands.stats.fenced == 1
    assert await shop.bench.state(task_id) is TaskState.QUEUED


async def test_an_older_name_finds_its_handler(shop: Workshop) -> None:
    @task(name="tests.new", aliases=("tests.old",))
    async def renamed() -> str:
        return "found"

    envelope = make_envelope(name="tests.old")._replace(payload=b"{}")
    await shop.bench.apply(Publish(envelope=envelope, body=encode_envelope(envelope)))
    _working(shop, renamed)

    assert await _ended(shop, envelope.id) is TaskState.SUCCEEDED
