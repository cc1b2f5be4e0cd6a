"""Operators and live workers: every worker hears every command, does what it is asked to, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from stem.client.control import Controller
from stem.client.inspect import Inspector
from stem.client.operate import Operator
from stem.contracts.commands import CONTROL, Command, encode_command
from stem.contracts.heartbeats import Heartbeat, RunningTask
from stem.errors import UnknownWorker
from stem.registry import definition
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.worker.settings import WorkerSettings
from stem.worker.worker import Worker
from tests.stem.worker import tasks
from tests.stem.worker.support import Workshop, eventually, turns


@pytest.fixture(autouse=True)
async def gate() -> AsyncIterator[tasks.Gate]:
    tasks.gates.gate = tasks.Gate()
    yield tasks.gates.gate
    tasks.gates.gate.open()


@pytest.fixture
async def crew(shop: Workshop) -> AsyncIterator[list[Worker]]:
    """Three workers: web-1, web-2 and db-1."""
    async with AsyncExitStack() as stack:
        names = ("web-1", "web-2", "db-1")
        crew = [
            shop.worker(tasks.add, tasks.holds, settings=WorkerSettings(name=name, concurrency=2)) for name in names
        ]
        for worker in crew:
            await stack.enter_async_context(worker)
        yield crew
        tasks.gates.gate.open()


@pytest.fixture
def control(shop: Workshop, clock: ManualClock) -> Controller:
    return Controller(shop.store, clock=clock)


@pytest.fixture
def operator(shop: Workshop, control: Controller) -> Operator:
    return Operator(shop.store, shop.commits, Inspector(shop.store, shop.commits), control)


async def test_every_worker_hears_every_command(crew: list[Worker], control: Controller) -> None:
    answers = await control.ping()
    assert [answer.worker for answer in answers.answers] == ["db-1", "web-1", "web-2"]
    assert answers.silent == ()


async def test_only_those_that_are_meant_answer(crew: list[Worker], control: Controller) -> None:
    assert [answer.worker for answer in (await control.ping(["web-*"])).answers] == ["web-1", "web-2"]
    assert [answer.worker for answer in (await control.ping(["db-1"])).answers] == ["db-1"]


async def test_a_worker_that_is_gone_is_an_error_that_names_it(crew: list[Worker], control: Controller) -> None:
    with pytest.raises(UnknownWorker, match=r"'gone'.*no worker of that name") as raised:
        await control.ping(["gone"])
    assert raised.value.code == "STEM-E081"


async def test_a_worker_that_does_not_answer_in_time_is_named(
    shop: Workshop, control: Controller, clock: ManualClock, crew: list[Worker]
) -> None:
    beat = Heartbeat(
        worker="deaf", host="h", pid=1, fingerprint="f", queues=(), concurrency=1, running=0, every=5_000_000
    )
    await shop.store.beat(beat)
    asking = asyncio.ensure_future(control.ping(timeout=timedelta(seconds=1)))
    await turns()
    await clock.run_for(1.1)
    assert (await asking).silent == ("deaf",)


async def test_inspect_tells_what_runs_since_when_and_on_which_queue(
    shop: Workshop, crew: list[Worker], control: Controller, clock: ManualClock, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    await eventually(lambda: gate.entered == 1)
    clock.advance(2)
    found = [task for answer in (await control.inspect()).answers for task in answer.value["tasks"]]  # type: ignore[union-attr]  # a list of objects
    assert found == [
        {
            "id": task_id,
            "name": "tests.holds",
            "queue": "default",
            "attempt": 0,
            "phase": "handling",
            "seconds": 2.0,
            "cancel_requested": False,
        }
    ]


async def test_what_a_worker_that_does_not_answer_last_told_is_given_from_the_store(
    shop: Workshop, crew: list[Worker], control: Controller, clock: ManualClock
) -> None:
    task = RunningTask("id", "shop.charge", "billing", 1, 3_000_000)
    frozen = Heartbeat(
        worker="frozen", host="h", pid=1, fingerprint="f", queues=(), concurrency=1, running=1, every=1, tasks=(task,)
    )
    await shop.store.beat(frozen)
    clock.advance(10)
    by_name = await control.inspect(["frozen"])
    assert (by_name.answers, by_name.silent) == ((), ("frozen",))
    (told,) = by_name.told
    assert (told.heartbeat.tasks, clock.now() - told.since(task)) == ((task,), 13_000_000)
    everybody = await control.inspect()
    assert ([answer.worker for answer in everybody.answers], everybody.told) == (["db-1", "web-1", "web-2"], (told,))


async def test_stats_count_what_was_done(shop: Workshop, crew: list[Worker], control: Controller) -> None:
    await shop.enqueue(definition(tasks.add).call(1, 2))
    await eventually(lambda: sum(worker.stats.of(TaskEvent.SUCCEEDED) for worker in crew) == 1)
    ended = [answer.value["ended"] for answer in (await control.stats()).answers]
    assert sorted(map(str, ended)) == ["{'succeeded': 1}", "{}", "{}"]


async def test_a_drained_worker_finishes_what_runs_and_takes_nothing_more(
    shop: Workshop, crew: list[Worker], control: Controller, clock: ManualClock, gate: tasks.Gate
) -> None:
    running = await shop.enqueue(definition(tasks.holds).call())
    await eventually(lambda: gate.entered == 1)
    answers = await control.drain()
    assert [answer.value["stopping"] for answer in answers.answers] == [True, True, True]
    waiting = await shop.enqueue(definition(tasks.add).call(1, 2))
    gate.open()
    await eventually(lambda: all(not worker.attempts() for worker in crew))
    await clock.run_for(0.01)
    assert (await shop.bench.state(running), await shop.bench.state(waiting)) == (TaskState.SUCCEEDED, TaskState.QUEUED)


async def test_a_worker_with_nothing_to_do_answers_before_it_stops(
    shop: Workshop, crew: list[Worker], control: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = shop.store.broadcast

    async def slowly(channel: str, body: bytes, *, message_id: str, keep: int) -> None:
        await turns(200)
        await say(channel, body, message_id=message_id, keep=keep)

    monkeypatch.setattr(shop.store, "broadcast", slowly)
    answers = await control.drain()
    assert ([answer.worker for answer in answers.answers], answers.silent) == (["db-1", "web-1", "web-2"], ())


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_a_worker_that_is_stopped_gives_back_what_runs_without_using_an_attempt(
    shop: Workshop, crew: list[Worker], control: Controller, clock: ManualClock, gate: tasks.Gate, mode: str
) -> None:
    running = await shop.enqueue(definition(tasks.holds).call())
    await eventually(lambda: gate.entered == 1)
    await control.stop(mode="soft" if mode == "soft" else "hard")
    await clock.run_for(0.01)
    await eventually(lambda: all(not worker.attempts() for worker in crew))
    record = await shop.bench.record(running)
    assert (record.state, record.attempt) == (TaskState.QUEUED, 0)


async def test_a_mode_that_does_not_exist_is_answered_with_an_error(crew: list[Worker], control: Controller) -> None:
    answers = await control.ask("stop", ["db-1"], timeout=timedelta(seconds=1), arguments={"mode": "gently"})
    (answer,) = answers.answers
    assert answer.error is not None
    assert "warm, soft, hard" in answer.error


async def test_what_is_no_command_is_passed_over(shop: Workshop, crew: list[Worker], control: Controller) -> None:
    await shop.store.broadcast(CONTROL, b"garbage", message_id="x")
    assert len((await control.ping()).answers) == 3


async def test_a_command_that_is_heard_too_late_is_passed_over(
    shop: Workshop, crew: list[Worker], control: Controller, clock: ManualClock
) -> None:
    command = Command(id="late", kind="drain", valid=1)
    await shop.store.broadcast(CONTROL, encode_command(command), message_id="late")
    clock.advance(1)
    assert [answer.value["stopping"] for answer in (await control.ping()).answers] == [False, False, False]


async def test_what_was_said_before_a_worker_started_is_not_for_it(shop: Workshop, control: Controller) -> None:
    await control.send("drain")
    async with shop.worker(tasks.add):
        (answer,) = (await control.ping()).answers
        assert answer.value["stopping"] is False


async def test_a_revoked_id_that_is_enqueued_later_is_cancelled_by_the_worker_that_gets_it(
    shop: Workshop, operator: Operator
) -> None:
    await operator.revoke(["later"], reason="mistake", requested_by="ada")
    async with shop.worker(tasks.add) as worker:
        await shop.bench.put(id="later", name="tests.add", payload=b'{"a":1,"b":2}')
        await eventually(lambda: worker.stats.of(TaskEvent.CANCELLED) == 1)
    error = (await shop.bench.record("later")).error
    assert error is not None
    assert (error.kind, error.message) == ("Revoked", "revoked by ada: mistake")


async def test_a_running_task_is_stopped_at_once_when_it_is_revoked_and_terminated(
    shop: Workshop, crew: list[Worker], operator: Operator, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    await eventually(lambda: gate.entered == 1)
    await operator.revoke([task_id], terminate=True)
    await eventually(lambda: sum(worker.stats.of(TaskEvent.CANCELLED) for worker in crew) == 1)
    assert await shop.bench.state(task_id) is TaskState.CANCELLED


async def test_a_revocation_does_not_poison_the_id(shop: Workshop, crew: list[Worker], operator: Operator) -> None:
    task_id = await shop.bench.put(name="tests.add", payload=b'{"a":1,"b":2}', queue="nobody")
    await operator.revoke([task_id])
    await turns()
    shop.clock.advance(1)
    await operator.replay([await shop.bench.record(task_id)])
    async with shop.worker(tasks.add, settings=WorkerSettings(name="late", queues={"nobody": 1})) as worker:
        await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 1)
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
