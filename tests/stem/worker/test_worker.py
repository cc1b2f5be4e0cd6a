"""A worker's life: start, heartbeats, drain, stop, signals."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from stem import TaskContext, task
from stem.adapters.memory import MemoryStore
from stem.contracts.heartbeats import Predecessor, RunningTask
from stem.contracts.store import LeaseAnswer, LeaseRequest
from stem.errors import ConfigError, StoreCorrupt, StoreUnavailable
from stem.registry import definition
from stem.signals.calls import name_of
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.testing.contracts.heartbeats import BEAT
from stem.worker.settings import WorkerSettings
from stem.worker.worker import Lifespan, Worker
from tests.stem.worker import tasks
from tests.stem.worker.support import Workshop, eventually, turns


@pytest.fixture(autouse=True)
async def gate() -> AsyncIterator[tasks.Gate]:
    tasks.gates.gate = tasks.Gate()
    yield tasks.gates.gate
    tasks.gates.gate.open()


async def _finished(worker: Worker, clock: ManualClock, stopping: asyncio.Task[None]) -> None:
    """Let the stop come to its end; its last step waits for a thread, which no clock moves."""
    await clock.run_for(0.01)
    await eventually(stopping.done)
    assert worker.running == 0


async def test_it_works_from_its_start_to_its_end(shop: Workshop) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(20, 22))

    async with shop.worker(tasks.add) as worker:
        await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 1)

    assert (await shop.bench.record(task_id)).result == b"42"
    assert not [thread for thread in threading.enumerate() if thread.name == "stem-keeper"]


async def test_a_task_that_cannot_run_here_stops_the_start_before_anything_is_leased(shop: Workshop) -> None:
    @task(name="tests.process", run_in="process")
    def somewhere() -> None: ...

    task_id = await shop.enqueue(definition(somewhere).call())

    with pytest.raises(ConfigError, match="importable by a child process"):
        async with shop.worker(somewhere):
            pass

    assert (await shop.bench.record(task_id)).deliveries == 0
    assert await shop.store.workers() == ()


async def test_what_the_lifespan_gives_is_the_state_of_every_context(shop: Workshop) -> None:
    moments: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[list[str]]:
        moments.append("opened")
        yield moments
        moments.append("closed")

    @task(name="tests.uses_state")
    async def uses_state(ctx: TaskContext[list[str]]) -> None:
        ctx.state.append("used")

    await shop.enqueue(definition(uses_state).call())
    async with shop.worker(uses_state, lifespan=lifespan) as worker:
        await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 1)

    assert moments == ["opened", "used", "closed"]


async def test_the_lifespan_is_closed_after_the_last_attempt_has_ended(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    moments: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[list[str]]:
        yield moments
        moments.append("closed")

    @task(name="tests.ends_late")
    async def ends_late(ctx: TaskContext[list[str]]) -> None:
        await tasks.gates.gate.passing()
        ctx.state.append("ended")

    task_id = await shop.enqueue(definition(ends_late).call())
    async with shop.worker(ends_late, lifespan=lifespan) as worker:
        await eventually(lambda: gate.entered == 1)
        stopping = asyncio.ensure_future(worker.stop())
        await turns()
        assert moments == []
        gate.open()
        await stopping

    assert moments == ["ended", "closed"]
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


class _FailsToOpen:
    async def __aenter__(self) -> None:
        raise OSError("no route to the database")

    async def __aexit__(self, *_: object) -> None: ...


def _is_no_lifespan() -> list[str]:
    return []


@pytest.mark.parametrize(
    ("lifespan", "found"),
    [(_FailsToOpen, "OSError: no route to the database"), (_is_no_lifespan, "TypeError: ")],
)
async def test_a_lifespan_that_cannot_be_opened_is_one_clear_error_and_leaves_nothing(
    shop: Workshop, lifespan: Lifespan, found: str
) -> None:
    before = (set(threading.enumerate()), asyncio.all_tasks())
    worker = shop.worker(tasks.add, lifespan=lifespan)
    with pytest.raises(ConfigError) as refused:
        async with worker:
            pass

    assert name_of(lifespan) in refused.value.expected
    assert found in refused.value.found
    assert refused.value.__cause__ is not None
    assert (set(threading.enumerate()), asyncio.all_tasks()) == before
    assert await shop.store.workers() == ()
    await worker.stop()


async def test_a_start_that_fails_after_the_lifespan_was_opened_closes_it(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        moments.append("opened")
        try:
            yield
        finally:
            moments.append("closed")

    def refuse(_: object) -> None:
        raise StoreUnavailable(expected="an ear", found="none", do="Wait.")

    monkeypatch.setattr(shop.store, "listen", refuse)
    with pytest.raises(StoreUnavailable):
        async with shop.worker(tasks.add, lifespan=lifespan):
            pass

    assert moments == ["opened", "closed"]


async def test_it_gives_signs_of_life_and_signs_off(shop: Workshop, clock: ManualClock) -> None:
    async with shop.worker(tasks.add):
        (first,) = await shop.store.workers()
        await clock.run_for(21)
        (later,) = await shop.store.workers()
        assert (later.late, later.last_seen - first.last_seen) == (False, 20_000_000)
        assert (later.heartbeat.worker, later.heartbeat.queues, later.heartbeat.pid) == (
            "worker-1",
            ("default",),
            os.getpid(),
        )

    assert await shop.store.workers() == ()


async def test_a_start_that_is_given_up_after_the_first_sign_of_life_signs_off(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> int:
        assert len(await shop.store.workers()) == 1
        raise asyncio.CancelledError

    monkeypatch.setattr(shop.store, "broadcast_position", refuse)
    with pytest.raises(asyncio.CancelledError):
        async with shop.worker(tasks.add):
            pass

    assert await shop.store.workers() == ()


async def test_its_signs_of_life_tell_what_runs_and_for_how_long(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    async with shop.worker(tasks.holds):
        task_id = await shop.enqueue(definition(tasks.holds).call())
        await eventually(lambda: gate.entered == 1)
        await clock.run_for(12)
        (record,) = await shop.store.workers()
        assert record.heartbeat.running == 1
        assert record.heartbeat.tasks == (RunningTask(task_id, "tests.holds", "default", 0, 10_000_000),)
        gate.open()
        await clock.run_for(8)
        (record,) = await shop.store.workers()
        assert (record.heartbeat.running, record.heartbeat.tasks) == (0, ())


async def test_one_that_takes_the_place_of_a_dead_process_says_so_for_as_long_as_it_lives(
    shop: Workshop, clock: ManualClock
) -> None:
    dead = replace(BEAT, worker="worker-dead", host=socket.gethostname(), pid=7, memory=64)
    await shop.store.beat(dead)
    died_at = clock.now()
    worker = shop.worker(tasks.add)
    worker.take_the_place_of(7, -9)
    async with worker:
        await clock.run_for(60)
        told = (await shop.store.workers())[0].heartbeat
    assert (told.worker, told.replaces) == ("worker-1", Predecessor("worker-dead", -9, died_at, 64))
    assert told.memory > 1 << 20


async def test_a_stop_lets_running_tasks_end_and_leases_nothing_more(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    running = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    async with worker:
        await eventually(lambda: gate.entered == 1)
        stopping = asyncio.ensure_future(worker.stop())
        await turns()
        waiting = await shop.enqueue(definition(tasks.holds).call())
        await clock.run_for(24)
        assert not stopping.done()

        gate.open()
        await _finished(worker, clock, stopping)

    assert await shop.bench.state(running) is TaskState.SUCCEEDED
    assert (await shop.bench.record(waiting)).deliveries == 0


async def test_what_still_runs_after_the_drain_goes_back_without_using_an_attempt(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    async with worker:
        await eventually(lambda: gate.entered == 1)
        stopping = asyncio.ensure_future(worker.stop())

        await clock.run_for(26)
        await _finished(worker, clock, stopping)

    record = await shop.bench.record(task_id)
    assert (record.state, record.attempt, record.crashes, gate.left) == (TaskState.QUEUED, 0, 0, 0)


async def test_a_second_request_to_stop_cancels_now(shop: Workshop, clock: ManualClock, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    async with worker:
        await eventually(lambda: gate.entered == 1)
        stopping = asyncio.ensure_future(worker.run_until_stopped())
        worker.ask_to_stop()
        await turns()
        assert not stopping.done()

        worker.ask_to_stop()
        await _finished(worker, clock, stopping)

    assert await shop.bench.state(task_id) is TaskState.QUEUED


async def test_stopping_now_does_not_wait_for_the_drain(shop: Workshop, clock: ManualClock, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    worker = shop.worker(tasks.holds)
    async with worker:
        await eventually(lambda: gate.entered == 1)

        await _finished(worker, clock, asyncio.ensure_future(worker.stop_now()))

    assert await shop.bench.state(task_id) is TaskState.QUEUED
    assert clock.elapsed() < 1_000_000


async def test_a_thread_that_goes_on_after_the_drain_is_given_back_and_told(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    told: list[bool] = []

    @task(name="tests.deaf")
    def deaf(ctx: TaskContext) -> None:
        gate.passing_in_thread()
        told.append(ctx.cancelled)

    task_id = await shop.enqueue(definition(deaf).call())
    worker = shop.worker(deaf)
    async with worker:
        await eventually(lambda: gate.entered == 1)
        await _finished(worker, clock, asyncio.ensure_future(worker.stop_now()))

    assert await shop.bench.state(task_id) is TaskState.QUEUED
    gate.open()
    await eventually(lambda: told == [True])


async def test_a_handler_that_ignores_its_cancellation_is_abandoned_and_fenced(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    @task(name="tests.stubborn")
    async def stubborn() -> str:
        while not gate.left:
            try:
                await gate.passing()
            except asyncio.CancelledError:
                continue
        return "late"

    task_id = await shop.enqueue(definition(stubborn).call())
    worker = shop.worker(stubborn)
    async with worker:
        await eventually(lambda: gate.entered == 1)
        stopping = asyncio.ensure_future(worker.stop_now())
        await clock.run_for(6)
        await eventually(stopping.done)
    assert await shop.bench.state(task_id) is TaskState.QUEUED

    gate.open()
    await eventually(lambda: worker.running == 0)

    assert worker.stats.fenced == 1
    assert await shop.bench.state(task_id) is TaskState.QUEUED


async def test_stopping_twice_is_stopping_once(shop: Workshop) -> None:
    async with shop.worker(tasks.add) as worker:
        await asyncio.gather(worker.stop(), worker.stop(drain=timedelta(0)))
        await worker.stop()

    await worker.run_until_stopped()


async def test_a_worker_that_was_never_started_can_be_stopped(shop: Workshop) -> None:
    worker = shop.worker(tasks.add)

    await worker.stop()

    assert worker.running == 0


async def test_a_store_that_is_damaged_stops_the_worker_with_its_error(
    shop: Workshop, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(request: LeaseRequest) -> LeaseAnswer:
        raise StoreCorrupt(expected="a database", found=request.worker, do="Restore it.")

    monkeypatch.setattr(store, "lease", damaged)

    async with shop.worker(tasks.add) as worker:
        with pytest.raises(StoreCorrupt):
            await worker.run_until_stopped()


async def test_whoever_waits_beside_a_worker_that_cannot_go_on_is_told(
    shop: Workshop, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(request: LeaseRequest) -> LeaseAnswer:
        raise StoreCorrupt(expected="a database", found=request.worker, do="Restore it.")

    monkeypatch.setattr(store, "lease", damaged)

    with pytest.raises(StoreCorrupt):
        async with shop.worker(tasks.add):
            await asyncio.Event().wait()

    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_the_first_signal_drains_and_the_second_cancels(
    shop: Workshop, clock: ManualClock, gate: tasks.Gate
) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    loop = asyncio.get_running_loop()
    async with shop.worker(tasks.holds) as worker:
        worker.install_signals(loop)
        try:
            await eventually(lambda: gate.entered == 1)
            stopping = asyncio.ensure_future(worker.run_until_stopped())
            os.kill(os.getpid(), signal.SIGTERM)
            await turns()
            assert not stopping.done()
            os.kill(os.getpid(), signal.SIGINT)
            await _finished(worker, clock, stopping)
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)

    assert await shop.bench.state(task_id) is TaskState.QUEUED


async def test_sigquit_writes_the_stacks_of_all_threads_and_the_worker_goes_on(
    shop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.get_running_loop()
    async with shop.worker(tasks.add) as worker:
        worker.install_signals(loop)
        try:
            os.kill(os.getpid(), signal.SIGQUIT)
            task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
            await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 1)
        finally:
            faulthandler.unregister(signal.SIGQUIT)
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)

    assert "most recent call first" in capfd.readouterr().err
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_thousands_of_tasks_are_drained_each_once(shop: Workshop) -> None:
    await asyncio.gather(*[shop.enqueue(definition(tasks.add).call(number, 1)) for number in range(3_000)])
    settings = WorkerSettings(name="worker-1", concurrency=50)

    async with shop.worker(tasks.add, settings=settings) as worker:
        await eventually(lambda: worker.stats.of(TaskEvent.SUCCEEDED) == 3_000)

    assert worker.stats.handled == 3_000
    assert {record.state for record in (await shop.bench.everything()).values()} == {TaskState.SUCCEEDED}
