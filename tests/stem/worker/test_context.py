"""What a running task can do with its context."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stem import TaskContext, task
from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Change, Report, Verdict
from stem.ids import derived_id
from stem.registry import definition
from stem.stores.committer import Committer
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import TaskEvent, TaskState
from stem.testing import ManualClock
from stem.worker.decide import Stop
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, eventually, turns


@pytest.fixture(autouse=True)
async def gate() -> AsyncIterator[tasks.Gate]:
    tasks.gates.gate = tasks.Gate()
    yield tasks.gates.gate
    tasks.gates.gate.open()


def _work(shop: Workshop, *handlers: object) -> Hands:
    hands = shop.hands(*[handler for handler in handlers if callable(handler)])
    hands.fetch()
    return hands


async def test_the_context_says_which_attempt_of_what_runs_where(shop: Workshop) -> None:
    seen: list[tuple[object, ...]] = []

    @task(name="tests.curious", max_retries=5, queue="default")
    async def curious(ctx: TaskContext) -> None:
        seen.append((ctx.task_id, ctx.attempt, ctx.max_retries, ctx.queue, ctx.worker, ctx.fence, ctx.deadline))
        seen.append((dict(ctx.headers), dict(ctx.meta), ctx.state, ctx.cancelled))

    call = definition(curious).options(headers={"trace": "7"}, meta={"who": "me"}).call()
    task_id = await shop.enqueue(call)
    _work(shop, curious)
    await turns()

    assert seen == [(task_id, 0, 5, "default", "worker-1", 1, None), ({"trace": "7"}, {"who": "me"}, None, False)]


async def test_progress_is_recorded_and_the_latest_report_wins(shop: Workshop) -> None:
    @task(name="tests.steps")
    async def steps(ctx: TaskContext) -> None:
        for number in range(5):
            ctx.progress(number, 4, f"step {number}", {"n": number})
        await tasks.gates.gate.passing()

    task_id = await shop.enqueue(definition(steps).call())
    _work(shop, steps)
    await turns()

    progress = (await shop.bench.record(task_id)).progress
    assert progress is not None
    assert (progress.done, progress.total, progress.message, progress.data) == (4, 4, "step 4", '{"n":4}')


async def test_many_reports_between_two_commits_are_one(
    shop: Workshop, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Change] = []
    commit = store.commit

    async def listening(changes: list[Change]) -> list[Verdict]:
        reports.extend(change for change in changes if isinstance(change.writes[0], Report))
        return await commit(changes)

    @task(name="tests.chatty")
    async def chatty(ctx: TaskContext) -> None:
        for number in range(1_000):
            ctx.progress(number)

    monkeypatch.setattr(store, "commit", listening)
    await shop.enqueue(definition(chatty).call())
    _work(shop, chatty)
    await turns()

    assert len(reports) == 1


async def test_the_last_report_is_recorded_before_the_end(shop: Workshop) -> None:
    @task(name="tests.brief")
    def brief(ctx: TaskContext) -> None:
        ctx.progress(1, 1)

    task_id = await shop.enqueue(definition(brief).call())
    hands = _work(shop, brief)
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 1)

    progress = (await shop.bench.record(task_id)).progress
    assert progress is not None
    assert progress.done == 1


async def test_a_rerun_reports_over_what_the_first_run_reported(shop: Workshop) -> None:
    @task(name="tests.again")
    async def again(ctx: TaskContext) -> None:
        for number in range(5 if ctx.fence == 1 else 1):
            ctx.progress(number)
        await tasks.gates.gate.passing()

    task_id = await shop.enqueue(definition(again).call())
    hands = shop.hands(again)
    hands.engine.slots.offer(await shop.bench.delivery(), asked_at=shop.clock.elapsed())
    await turns()
    hands.engine.end_all(Stop.SHUTDOWN)
    await turns()
    hands.engine.slots.offer(await shop.bench.delivery(), asked_at=shop.clock.elapsed())
    await turns()

    progress = (await shop.bench.record(task_id)).progress
    assert progress is not None
    assert progress.done == 0


async def test_a_follow_up_is_published_by_the_success_and_belongs_to_the_same_root(shop: Workshop) -> None:
    @task(name="tests.leads")
    async def leads(ctx: TaskContext) -> str:
        await tasks.gates.gate.passing()
        return ctx.follow_up(definition(tasks.add).call(1, 2))

    task_id = await shop.enqueue(definition(leads).call())
    _work(shop, leads)
    await turns()
    generation = (await shop.bench.record(task_id)).generation
    following = derived_id(task_id, generation, 1)
    assert await shop.store.get([following]) == {}

    tasks.gates.gate.open()
    await turns()

    record = await shop.bench.record(following)
    envelope = decode_envelope(record.envelope)
    assert (record.state, envelope.root, envelope.parent) == (TaskState.PARKED, task_id, task_id)


async def test_a_handler_lets_tasks_run_on_every_worker(shop: Workshop, clock: ManualClock) -> None:
    everywhere = definition(tasks.add).options(broadcast=True)

    @task(name="tests.calls_all")
    async def calls_all(ctx: TaskContext) -> list[str]:
        return [(await ctx.enqueue(everywhere.call(1, 2))).id, ctx.follow_up(everywhere.call(3, 4))]

    root = await shop.enqueue(definition(calls_all).call())
    async with shop.worker(calls_all, tasks.add):
        await clock.run_for(2)
    records = (await shop.bench.everything()).values()
    ran = [(record.name, record.result, record.root) for record in records if record.queue == "worker:worker-1"]
    assert sorted(ran) == [("tests.add", b"3", root), ("tests.add", b"7", root)]


async def test_a_failing_task_publishes_no_follow_up(shop: Workshop) -> None:
    @task(name="tests.misleads", max_retries=0)
    async def misleads(ctx: TaskContext) -> None:
        ctx.follow_up(definition(tasks.add).call(1, 2))
        raise ValueError

    await shop.enqueue(definition(misleads).call())
    _work(shop, misleads)
    await turns()

    assert len(await shop.bench.everything()) == 1


async def test_what_is_enqueued_inside_a_task_is_there_at_once_and_a_rerun_finds_it(shop: Workshop) -> None:
    @task(name="tests.parent", max_retries=1)
    async def parent(ctx: TaskContext) -> str:
        handle = await ctx.enqueue(definition(tasks.add).options(queue="elsewhere").call(1, 2))
        if ctx.attempt == 0:
            ctx.retry(timedelta(0), "once more")
        return handle.id

    task_id = await shop.enqueue(definition(parent).call())
    _work(shop, parent)
    await turns(60)
    await shop.clock.run_for(1)

    records = await shop.bench.everything()
    (child,) = [record for record in records.values() if record.id != task_id]
    assert len(records) == 2
    assert records[task_id].result == f'"{child.id}"'.encode()
    assert (child.root, child.parent) == (task_id, task_id)


async def test_a_thread_enqueues_blocking(shop: Workshop) -> None:
    @task(name="tests.blocking_parent")
    def blocking_parent(ctx: TaskContext) -> str:
        return ctx.sync.enqueue(definition(tasks.add).call(1, 2))

    await shop.enqueue(definition(blocking_parent).call())
    hands = _work(shop, blocking_parent, tasks.add)
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 2)


async def test_what_a_coroutine_function_in_a_thread_enqueues_is_committed_on_the_workers_loop(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    commit = Committer.commit

    async def watched(self: Committer, change: Change) -> Verdict:
        threads.add(threading.get_ident())
        return await commit(self, change)

    monkeypatch.setattr(Committer, "commit", watched)

    @task(name="tests.parent_elsewhere", run_in="thread")
    async def parent_elsewhere(ctx: TaskContext) -> str:
        return (await ctx.enqueue(definition(tasks.add).call(1, 2))).id

    parent = await shop.enqueue(definition(parent_elsewhere).call())
    hands = _work(shop, parent_elsewhere, tasks.add)
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 2)

    assert (await shop.bench.record(derived_id(parent, 0, 1))).parent == parent
    assert threads == {threading.get_ident()}


async def test_blocking_the_loop_by_enqueueing_is_refused(shop: Workshop) -> None:
    @task(name="tests.confused", max_retries=0)
    async def confused(ctx: TaskContext) -> str:
        return ctx.sync.enqueue(definition(tasks.add).call(1, 2))

    task_id = await shop.enqueue(definition(confused).call())
    _work(shop, confused)
    await turns()

    error = (await shop.bench.record(task_id)).error
    assert error is not None
    assert error.kind == "ConfigError"
    assert "await ctx.enqueue" in error.message


async def test_a_longer_lease_is_asked_for_at_the_next_renewal(shop: Workshop, clock: ManualClock) -> None:
    @task(name="tests.greedy")
    async def greedy(ctx: TaskContext) -> None:
        ctx.extend_lease(timedelta(seconds=50))
        await tasks.gates.gate.passing()

    task_id = await shop.enqueue(definition(greedy).call())
    hands = _work(shop, greedy)
    await turns()

    hands.engine.keeper.tick()

    assert (await shop.bench.record(task_id)).lease_until == clock.now() + 60 * SECOND


async def test_a_heartbeat_renews_the_lease_soon(shop: Workshop, clock: ManualClock) -> None:
    @task(name="tests.lively")
    async def lively(ctx: TaskContext) -> None:
        clock.advance(1)
        ctx.heartbeat()
        await tasks.gates.gate.passing()

    task_id = await shop.enqueue(definition(lively).call())
    hands = _work(shop, lively)
    await turns()

    hands.engine.keeper.tick()

    assert (await shop.bench.record(task_id)).lease_until == clock.now() + 10 * SECOND
