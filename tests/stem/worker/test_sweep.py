"""An expired lease is only a suspect: what is taken, when, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Change, Fence, Report, Start
from stem.contracts.heartbeats import Predecessor, WorkerRecord
from stem.contracts.store import Suspect
from stem.errors import StoreUnavailable
from stem.registry import definition
from stem.tasks.options import Ack
from stem.tasks.retry import DEFAULT_BACKOFF
from stem.tasks.state import TaskState
from stem.tasks.status import Progress, TaskRecord
from stem.testing import ManualClock
from stem.testing.contracts.heartbeats import BEAT
from stem.worker.decide import Reason, Stop
from stem.worker.sweep import Observations, by_lease, not_ours, observe
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, turns


def _suspect(*, until: int = 10, counter: int = 1, expired: bool = True, lease: int = 9) -> Suspect:
    return Suspect(Fence("task-1", counter, "n"), until * SECOND, lease * SECOND, expired)


def _watch(*sweeps: tuple[float, Suspect]) -> list[bool]:
    """Whether each of these sweeps, at its second, takes the suspect it sees."""
    seen = Observations()
    taken: list[bool] = []
    for at, suspect in sweeps:
        seen, found = observe(seen, (suspect,), round(at * SECOND))
        taken.append(bool(found))
    return taken


def test_an_expired_lease_is_taken_when_it_stood_still_for_a_third_and_a_second() -> None:
    assert _watch((0, _suspect()), (2, _suspect()), (3.9, _suspect()), (4, _suspect())) == [False, False, False, True]


def test_a_lease_that_the_store_does_not_call_expired_is_taken_after_its_whole_length() -> None:
    alive = _suspect(expired=False)

    assert _watch((0, alive), (4, alive), (8, alive), (9, alive)) == [False, False, False, True]


def test_a_lease_that_was_renewed_is_observed_anew() -> None:
    assert _watch((0, _suspect()), (3, _suspect(until=11)), (5, _suspect(until=11))) == [False, False, False]


def test_a_lease_under_another_fence_is_observed_anew() -> None:
    assert _watch((0, _suspect()), (3, _suspect(counter=2)), (5, _suspect(counter=2))) == [False, False, False]


def test_after_a_gap_of_over_five_seconds_everything_is_observed_anew() -> None:
    assert _watch((0, _suspect()), (5, _suspect())) == [False, True]
    assert _watch((0, _suspect()), (5.1, _suspect()), (9, _suspect())) == [False, False, False]


def test_a_lease_that_was_kept_in_between_is_observed_anew() -> None:
    seen, _ = observe(Observations(), (_suspect(),), 0)
    seen, _ = observe(seen, (), 2 * SECOND)

    _, taken = observe(seen, (_suspect(),), 4 * SECOND)

    assert taken == ()


def test_the_leases_of_this_process_are_not_taken() -> None:
    mine, other = _suspect(counter=1), _suspect(counter=2)

    assert not_ours((mine, other), {mine.fence}) == (other,)


def test_a_rescue_keeps_the_length_of_the_lease() -> None:
    short, long = _suspect(lease=1), _suspect(lease=60)

    assert by_lease((short, long)) == {SECOND: (short,), 60 * SECOND: (long,)}


@pytest.fixture(autouse=True)
def gate() -> tasks.Gate:
    tasks.gates.gate = tasks.Gate()
    return tasks.gates.gate


async def _sweep_for(hands: Hands, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds // 2):
        await hands.engine.sweeper.sweep()
        await turns()
        clock.advance(2)


async def _die_with(shop: Workshop, *, started: bool, ack: Ack = "late") -> Fence:
    """A worker leases one task and is gone; the fence that it had."""
    given = await shop.bench.delivery(worker="worker-dead")
    if started:
        await shop.store.commit([Change((Start(DEFAULT_BACKOFF, ack),), given.fence)])
    return given.fence


async def test_a_dead_workers_task_runs_again_within_15_seconds(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await _die_with(shop, started=True)
    hands = shop.hands(tasks.add)

    await _sweep_for(hands, clock, 14)

    record = await shop.bench.record(task_id)
    assert (record.state, record.crashes, record.attempt) == (TaskState.SUCCEEDED, 1, 1)
    assert hands.stats.rescued == 1


async def test_a_task_that_was_lost_before_its_start_uses_no_attempt(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await _die_with(shop, started=False)

    await _sweep_for(shop.hands(tasks.add), clock, 14)

    record = await shop.bench.record(task_id)
    assert (record.state, record.lost, record.attempt) == (TaskState.SUCCEEDED, 1, 0)


async def test_without_a_free_slot_a_rescued_task_goes_back(shop: Workshop, clock: ManualClock) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    hands = shop.hands(tasks.holds, tasks.add, concurrency=1)
    hands.engine.slots.offer(await shop.bench.delivery(), asked_at=clock.elapsed())
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    await _die_with(shop, started=True)

    await _sweep_for(hands, clock, 14)

    assert await shop.bench.state(task_id) is TaskState.QUEUED


async def test_the_copy_of_another_worker_goes_back_to_that_ones_queue(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.bench.put(name="tests.add", payload=b'{"a":1,"b":2}', queue="worker:dead")
    await shop.bench.delivery(worker="dead", queues={"worker:dead": 1}, started=1)

    await _sweep_for(shop.hands(tasks.add), clock, 14)

    record = await shop.bench.record(task_id)
    assert (record.state, record.crashes, record.queue) == (TaskState.QUEUED, 1, "worker:dead")


async def test_a_task_that_crashes_every_worker_ends_in_the_dead_letters(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.enqueue(definition(tasks.holds).call())
    await _die_with(shop, started=True)
    for number in range(3):
        hands = shop.hands(tasks.holds, name=f"worker-{number}")
        await _sweep_for(hands, clock, 20)
        if not hands.engine.slots.busy:  # it went back for its backoff
            hands.fetch()
            clock.advance(10)
            await turns()
        assert hands.engine.slots.busy == 1
        await turns()
        hands.engine.end_all(Stop.LOST)  # as good as dead: it writes nothing more
        hands.engine.fetcher.stop()
        await turns()
    hands = shop.hands(tasks.holds, name="worker-9")

    await _sweep_for(hands, clock, 20)

    record = await shop.bench.record(task_id)
    assert (record.state, record.crashes, record.bury_reason) == (TaskState.FAILED, 4, Reason.CRASHED)


async def test_what_is_buried_tells_what_its_worker_left_and_only_of_that_is_asked(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    get = shop.store.get

    async def look(ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        asked.append(ids)
        return await get(ids)

    rerun = await shop.enqueue(definition(tasks.holds).call())
    await _die_with(shop, started=True)
    buried = await shop.enqueue(definition(tasks.holds).options(max_retries=0).call())
    fence = await _die_with(shop, started=True)
    await shop.store.commit([Change((Report(Progress(1, 5, 10)),), fence)])
    dead = Predecessor("worker-dead", -9, clock.now(), 64 << 20)
    await shop.store.beat(replace(BEAT, worker="worker-new", replaces=dead))
    monkeypatch.setattr(shop.store, "get", look)
    await _sweep_for(shop.hands(tasks.holds), clock, 14)

    assert (await shop.bench.state(rerun), asked[0]) == (TaskState.RUNNING, [buried])
    error = (await shop.bench.record(buried)).error
    assert error is not None
    assert "worker-dead gone, by signal SIGKILL; last sign of life" in error.message
    assert "with 64 MiB of memory; last progress 5 of 10; crashes 1" in error.message


async def test_a_store_that_tells_nothing_of_the_dead_does_not_keep_them_from_being_buried(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> tuple[WorkerRecord, ...]:
        raise StoreUnavailable(expected="a", found="b", do="c.")

    buried = await shop.enqueue(definition(tasks.holds).options(max_retries=0).call())
    await _die_with(shop, started=True)
    monkeypatch.setattr(shop.store, "workers", away)
    await _sweep_for(shop.hands(tasks.holds), clock, 14)
    assert await shop.bench.state(buried) is TaskState.FAILED


async def test_what_may_run_at_most_once_is_not_run_again(shop: Workshop, clock: ManualClock, gate: tasks.Gate) -> None:
    task_id = await shop.enqueue(definition(tasks.early).call())
    await _die_with(shop, started=True, ack="early")

    await _sweep_for(shop.hands(tasks.add), clock, 14)

    record = await shop.bench.record(task_id)
    assert (record.state, record.bury_reason, gate.entered) == (TaskState.FAILED, Reason.WORKER_LOST, 0)


async def test_an_outage_of_the_store_makes_no_duplicates(
    shop: Workshop, store: MemoryStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    await _die_with(shop, started=True)
    hands = shop.hands(tasks.holds)
    await _sweep_for(hands, clock, 8)

    async def away() -> tuple[Suspect, ...]:
        raise StoreUnavailable(expected="a", found="b", do="c.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "suspects", away)
        await _sweep_for(hands, clock, 60)
    await _sweep_for(hands, clock, 4)

    assert hands.stats.rescued == 0


async def test_a_clock_step_makes_no_duplicates(shop: Workshop, clock: ManualClock) -> None:
    await shop.enqueue(definition(tasks.holds).call())
    await _die_with(shop, started=True)
    hands = shop.hands(tasks.holds)
    await hands.engine.sweeper.sweep()

    clock.step(3600)
    await _sweep_for(hands, clock, 4)

    assert hands.stats.rescued == 0


async def test_each_sweep_deletes_what_was_kept_long_enough(shop: Workshop, clock: ManualClock) -> None:
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    hands = shop.hands(tasks.add)
    hands.fetch()
    await turns()
    clock.advance(3 * 86_400)

    await hands.engine.sweeper.sweep()

    assert await shop.store.get([task_id]) == {}


async def test_what_is_over_is_looked_for_once_a_minute_while_there_is_nothing(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [0, 3, 0, 0]
    asked: list[int] = []

    async def retain(limit: int) -> int:
        del limit
        asked.append(clock.elapsed())
        return found.pop(0)

    monkeypatch.setattr(shop.store, "retain", retain)
    sweeper = shop.hands(tasks.add).engine.sweeper
    began = clock.elapsed()
    for _ in range(33):
        await sweeper.sweep()
        clock.advance(2)

    assert [(at - began) // SECOND for at in asked] == [0, 60, 62]


async def test_what_is_over_and_cannot_be_deleted_is_tried_once_a_minute_and_fails_no_sweep(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[int] = []

    async def retain(limit: int) -> int:
        asked.append(clock.elapsed())
        raise StoreUnavailable(expected=f"{limit} to be deleted", found="none", do="Wait.")

    monkeypatch.setattr(shop.store, "retain", retain)
    sweeper = shop.hands(tasks.add).engine.sweeper
    for _ in range(33):
        await sweeper.sweep()
        clock.advance(2)

    assert [(at - asked[0]) // SECOND for at in asked] == [0, 60]
    assert "a sweep failed" not in caplog.text
