"""Workers that die, freeze or lose track of time, seen from the store of each engine, under a clock that is moved."""

from __future__ import annotations

import asyncio

import pytest

from stem.clock import Micros, SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import FENCED, Change
from stem.contracts.limits import TaskLimit
from stem.contracts.store import Delivery, LeaseVerdict, Renewal
from stem.stores.open import open_store
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import START, SUCCESS, Bench, seconds
from stem.worker.crashed import decide_crashed
from stem.worker.sweep import Observations, observe
from tests.scenarios.support.engines import EVERYWHERE, SERVERS

LEASE = seconds(10)
TEN_MINUTES = seconds(600)

everywhere = pytest.mark.parametrize("engine", EVERYWHERE)


class Wrong(SystemClock):
    """The clock of a machine that is set ten minutes off."""

    def __init__(self, by: Micros) -> None:
        self._by = by

    def now(self) -> Micros:
        return super().now() + self._by


async def crash(bench: Bench, delivery: Delivery) -> Change | None:
    """Its worker dies; another one finds out, and has no free slot. What it commits; `None` where it would run it."""
    change = decide_crashed(await bench.lose(delivery), None, free=False, random=0.0)
    if change is not None:
        await bench.apply(*change.writes, fence=change.fence)
    return change


async def renew(bench: Bench, delivery: Delivery) -> LeaseVerdict:
    keeper = bench.store.keeper()
    try:
        (verdict,) = await asyncio.to_thread(keeper.renew, [Renewal(delivery.fence, delivery.lease)])
    finally:
        await asyncio.to_thread(keeper.close)
    return verdict


@everywhere
async def test_dead_before_it_began_what_it_had_leased_comes_back_and_no_attempt_is_used(bench: Bench) -> None:
    ids = [await bench.put() for _ in range(3)]
    for delivery in (await bench.lease(3, started=0)).deliveries:
        await crash(bench, delivery)
    assert await bench.leased_ids(3) == ids
    assert {(r.attempt, r.crashes) for r in (await bench.everything()).values()} == {(0, 0)}


@everywhere
async def test_a_crash_is_an_attempt_and_after_the_last_one_the_task_is_a_dead_letter_with_the_evidence(
    bench: Bench,
) -> None:
    task = await bench.put(max_retries=2)
    for _ in range(3):
        assert await bench.state(task) is TaskState.QUEUED
        bench.clock.advance(60)  # more than the backoff after the second crash
        await crash(bench, await bench.delivery(started=1))
    record = await bench.record(task)
    assert (record.state, record.bury_reason, record.crashes) == (TaskState.FAILED, "crashed", 3)
    assert record.error is not None
    assert "worker-1 gone; crashes 3" in record.error.message
    assert await bench.leased_ids() == []


@everywhere
async def test_a_rescuer_that_dies_with_what_it_took_is_followed_by_another(bench: Bench) -> None:
    first = await bench.running(max_retries=5)
    await bench.apply(START, fence=first.fence)
    second = await bench.lose(first, worker="worker-2")  # and worker-2 dies before it has decided anything
    third = await bench.lose(second, worker="worker-3")
    await bench.apply(SUCCESS, fence=third.fence)
    record = await bench.record(first.fence.task_id)
    assert (record.state, record.deliveries, record.crashes) == (TaskState.SUCCEEDED, 3, 1)
    assert await bench.store.suspects() == ()


@everywhere
async def test_a_worker_that_comes_back_too_late_can_neither_renew_nor_end_its_task(bench: Bench) -> None:
    frozen = await bench.running()
    rescued = await bench.lose(frozen)
    assert await renew(bench, frozen) is LeaseVerdict.LOST
    assert await bench.write(SUCCESS, fence=frozen.fence) == FENCED
    await bench.apply(SUCCESS, fence=rescued.fence)
    assert await bench.write(SUCCESS, fence=frozen.fence) == FENCED
    assert (await bench.record(frozen.fence.task_id)).worker == "worker-2"


@everywhere
async def test_a_task_of_ten_leases_is_nobody_elses_while_its_worker_renews(bench: Bench) -> None:
    delivery = await bench.running()
    seen = Observations()
    for _ in range(30):
        bench.clock.advance(LEASE / 3e6)
        assert await renew(bench, delivery) is LeaseVerdict.KEPT
        seen, lost = observe(seen, await bench.store.suspects(), bench.clock.elapsed())
        assert lost == ()
    await bench.apply(SUCCESS, fence=delivery.fence)
    assert (await bench.record(delivery.fence.task_id)).deliveries == 1


@everywhere
async def test_a_rescue_needs_no_place_beside_the_one_that_the_dead_worker_held(bench: Bench) -> None:
    name = "tests.alone"
    await bench.store.declare_limits([TaskLimit(name=name, shared=name, concurrency=1)])
    first, second = await bench.put(name=name), await bench.put(name=name)
    held = await bench.delivery()
    assert await bench.leased_ids() == []
    rescued = await bench.lose(held)
    assert rescued.fence.task_id == first
    assert await bench.leased_ids() == []
    await bench.apply(SUCCESS, fence=rescued.fence)
    assert await bench.leased_ids() == [second]


@everywhere
@pytest.mark.parametrize("step", [600, -600])
async def test_a_step_of_the_clock_takes_no_task_from_a_worker_that_lives(bench: Bench, step: int) -> None:
    delivery = await bench.running()
    seen, _ = observe(Observations(), await bench.store.suspects(), bench.clock.elapsed())
    bench.clock.step(step)
    for _ in range(6):
        bench.clock.advance(2)
        seen, lost = observe(seen, await bench.store.suspects(), bench.clock.elapsed())
        assert lost == ()
        await renew(bench, delivery)
    await bench.apply(SUCCESS, fence=delivery.fence)


@pytest.mark.parametrize("engine", SERVERS)
async def test_clients_whose_clocks_are_ten_minutes_off_agree_by_the_clock_of_their_server(place: str) -> None:
    behind, ahead = [await open_store(place, StoreOptions(clock=Wrong(by))) for by in (-TEN_MINUTES, TEN_MINUTES)]
    one, other = Bench(behind, ManualClock()), Bench(ahead, ManualClock())
    soon, later = await other.put(expires=seconds(60)), await one.put(delay=seconds(60))
    assert abs((await one.record(later)).published_at - await ahead.now()) < seconds(60)
    assert await one.leased_ids(2) == [soon]
    assert await ahead.suspects() == ()
    assert (await other.lease()).deliveries == ()
    await behind.aclose()
    await ahead.aclose()
