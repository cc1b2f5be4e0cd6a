"""Handlers in child processes: what they can do, how they end, and what their death leaves behind."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stem.ids import derived_id
from stem.registry import definition
from stem.tasks.call import TaskCall
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, TaskRecord
from stem.testing import ManualClock
from stem.worker.decide import Reason, Stop
from stem.worker.settings import WorkerSettings
from tests.stem.worker.process import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, eventually


def _work(shop: Workshop, *handlers: Callable[..., object], **settings: Any) -> Hands:
    hands = shop.hands(*handlers, settings=WorkerSettings(name="worker-1", **settings), lifespan=tasks.opens)
    hands.fetch()
    return hands


async def _ended(shop: Workshop, handler: Callable[..., Any], *args: object) -> TaskRecord:
    """The record of a task when its first attempt has its verdict."""
    task_id = await shop.enqueue(definition(handler).call(*args))
    hands = _work(shop, handler)
    await eventually(lambda: bool(hands.stats.ended))
    return await shop.bench.record(task_id)


async def _begun(shop: Workshop, handler: Callable[..., Any], began: Path) -> tuple[str, Hands]:
    task_id = await shop.enqueue(definition(handler).call(str(began)))
    hands = _work(shop, handler)
    await eventually(began.exists)
    return task_id, hands


def _error(record: TaskRecord) -> Failure:
    assert record.error is not None
    return record.error


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_plain_handler_gets_its_arguments_and_gives_its_result(shop: Workshop) -> None:
    record = await _ended(shop, tasks.twice, tasks.Part(name="ab", weight=1.5))

    assert (record.state, record.result) == (TaskState.SUCCEEDED, b'{"name":"abab","weight":3.0}')


async def test_a_coroutine_sees_its_context_and_what_the_lifespan_of_its_process_opened(shop: Workshop) -> None:
    record = await _ended(shop, tasks.awaits, "here")

    assert record.result is not None
    assert b"here in default as 0 with a pool of " in record.result
    assert str(os.getpid()).encode() not in record.result


@pytest.mark.parametrize(
    ("rules", "children"), [({}, 1), ({"max_tasks_per_child": 2}, 2), ({"max_memory_per_child": 1}, 3)]
)
async def test_a_child_is_kept_warm_until_it_is_used_up(rules: dict[str, int], children: int, shop: Workshop) -> None:
    ids = [await shop.enqueue(tasks.WHERE.call()) for _ in range(3)]
    hands = _work(shop, tasks.where, children=1, **rules)
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 3)

    assert len({(await shop.bench.record(each)).result for each in ids}) == children


async def test_an_error_is_recorded_with_its_traceback_and_comes_back_after_its_backoff(
    shop: Workshop, clock: ManualClock
) -> None:
    record = await _ended(shop, tasks.odd)

    assert (record.state, record.attempt, record.due_at) == (TaskState.RETRYING, 1, clock.now() + 40 * SECOND)
    assert (_error(record).kind, _error(record).message) == ("Odd", "three")
    assert "in odd" in _error(record).traceback
    assert "child.py" not in _error(record).traceback


async def test_the_child_judges_by_classes_that_only_it_has_met(shop: Workshop) -> None:
    record = await _ended(shop, tasks.hopeless)

    assert (record.state, record.bury_reason) == (TaskState.FAILED, Reason.NOT_RETRIED)
    assert "in hopeless" in _error(record).traceback


async def test_a_handler_may_ask_to_run_again(shop: Workshop, clock: ManualClock) -> None:
    record = await _ended(shop, tasks.later)

    assert (record.state, record.due_at) == (TaskState.RETRYING, clock.now() + 70 * SECOND)


async def test_a_result_that_is_not_of_its_type_is_refused(shop: Workshop) -> None:
    record = await _ended(shop, tasks.untrue)

    assert (record.bury_reason, _error(record).code) == (Reason.RESULT_REFUSED, "STEM-E047")


async def test_a_payload_that_does_not_fit_is_undecodable(shop: Workshop) -> None:
    call = tasks.TWICE.call(tasks.Part(name="a", weight=1))
    task_id = await shop.enqueue(TaskCall(call.name, 1, "", b"[]", call.options, call.given, call.decode_result))
    hands = _work(shop, tasks.twice)
    await eventually(lambda: bool(hands.stats.ended))

    assert (await shop.bench.record(task_id)).bury_reason == Reason.UNDECODABLE


async def test_a_handler_reports_logs_and_enqueues_through_its_worker(
    shop: Workshop, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        record = await _ended(shop, tasks.talks)

    assert record.progress is not None
    assert (record.progress.done, record.progress.message, record.progress.data) == (1, "half", '{"page":7}')
    ids = [derived_id(record.id, 0, 1), derived_id(record.id, 0, 2)]
    assert record.result == f'"{" ".join(ids)}"'.encode()
    made = [await shop.bench.record(each) for each in ids]
    assert [each.due_at for each in made] == [clock.now() + 3600 * SECOND, clock.now() + 7200 * SECOND]
    assert (made[0].tags, made[0].parent) == (("late",), record.id)
    said = {each.getMessage(): vars(each) for each in caplog.records}
    assert said["a word from the child"]["task_id"] == record.id
    assert said["and one of the shop"]["name"] == "shop"


async def test_a_coroutine_learns_that_what_it_enqueued_was_there_before(shop: Workshop) -> None:
    record = await _ended(shop, tasks.talks_async)

    assert record.result == f'["{derived_id(record.id, 0, 1)}",true]'.encode()


async def test_an_error_of_the_client_is_raised_in_the_handler_that_asked(shop: Workshop) -> None:
    record = await _ended(shop, tasks.too_much)

    assert (_error(record).kind, _error(record).code) == ("PayloadTooLarge", "STEM-E023")


async def test_poison_kills_its_process_and_not_its_worker_and_ends_in_the_dead_letters_with_the_evidence(
    shop: Workshop,
) -> None:
    task_id = await shop.enqueue(definition(tasks.dies).call())
    hands = _work(shop, tasks.dies, tasks.where)
    await eventually(lambda: hands.stats.of(TaskEvent.BURIED) == 1)

    record = await shop.bench.record(task_id)
    assert (record.state, record.bury_reason, hands.stats.handled) == (TaskState.FAILED, Reason.CRASHED, 2)
    error = _error(record)
    assert (error.kind, error.code) == ("WorkerLost", "STEM-E051")
    assert "dead by signal SIGSEGV; peak memory " in error.message
    assert "last progress 3 of 10 'page 3'" in error.message
    assert "WARNING stem.task: about to die" in error.traceback
    assert "cannot go on" in error.traceback
    assert "in dies" in error.traceback
    well = await shop.enqueue(tasks.WHERE.call())
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 1)
    assert await shop.bench.state(well) is TaskState.SUCCEEDED


async def test_what_runs_at_most_once_does_not_run_again_and_what_its_process_left_is_killed(
    shop: Workshop, tmp_path: Path
) -> None:
    left = tmp_path / "pid"
    record = await _ended(shop, tasks.exits_once, str(left))

    assert (record.state, record.bury_reason) == (TaskState.FAILED, Reason.WORKER_LOST)
    assert "exit code 7" in _error(record).message
    await eventually(lambda: not _lives(int(left.read_text())))


async def test_a_killed_child_uses_an_attempt_and_its_task_runs_in_another(
    shop: Workshop, clock: ManualClock, tmp_path: Path
) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, tasks.waits, began)
    assert hands.engine.children is not None
    (pid,) = hands.engine.children.pids
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: hands.stats.of(TaskEvent.RETRIED) == 1)

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt) == (TaskState.RETRYING, 1)
    assert "signal SIGKILL" in _error(record).message
    began.unlink()
    await clock.run_for(3)
    await eventually(began.exists)
    assert pid not in hands.engine.children.pids


@pytest.mark.parametrize("handler", [tasks.soft, tasks.soft_async])
async def test_the_soft_limit_is_raised_inside(
    handler: Callable[..., Any], shop: Workshop, clock: ManualClock, tmp_path: Path
) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, handler, began)
    clock.advance(5)
    await eventually(lambda: bool(hands.stats.ended))

    assert (await shop.bench.record(task_id)).result == b'"STEM-E050"'


async def test_the_hard_limit_kills_a_loop_in_c_with_all_that_it_started(
    shop: Workshop, clock: ManualClock, tmp_path: Path
) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, tasks.deaf, began)
    assert hands.engine.children is not None
    (pid,) = hands.engine.children.pids
    started = int(began.with_suffix(".pid").read_text())
    clock.advance(9)
    await eventually(lambda: bool(hands.stats.ended))

    assert _error(await shop.bench.record(task_id)).kind == "HardTimeLimit"
    assert not _lives(pid)
    await eventually(lambda: not _lives(started))
    assert hands.engine.slots.free == hands.engine.slots.concurrency


async def test_a_cancel_is_told_to_the_handler(shop: Workshop, tmp_path: Path) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, tasks.waits, began)
    (held,) = hands.engine.slots.held()
    held.request_cancel()
    await eventually(lambda: bool(hands.stats.ended))

    assert (await shop.bench.record(task_id)).result == b'"told"'


@pytest.mark.parametrize(("why", "state"), [(Stop.SHUTDOWN, TaskState.QUEUED), (Stop.TERMINATE, TaskState.CANCELLED)])
async def test_an_attempt_that_is_stopped_takes_its_child_along_and_uses_no_attempt(
    why: Stop, state: TaskState, shop: Workshop, tmp_path: Path
) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, tasks.waits, began)
    assert hands.engine.children is not None
    (pid,) = hands.engine.children.pids
    hands.engine.fetcher.stop()
    (held,) = hands.engine.slots.held()
    held.end(why)
    await eventually(lambda: bool(hands.stats.ended))

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt, record.crashes) == (state, 0, 0)
    assert not _lives(pid)


async def test_a_child_passes_over_the_signals_of_a_terminal(shop: Workshop, tmp_path: Path) -> None:
    began = tmp_path / "began"
    task_id, hands = await _begun(shop, tasks.waits, began)
    assert hands.engine.children is not None
    (pid,) = hands.engine.children.pids
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    (held,) = hands.engine.slots.held()
    held.request_cancel()
    await eventually(lambda: bool(hands.stats.ended))

    assert (await shop.bench.record(task_id)).result == b'"told"'
