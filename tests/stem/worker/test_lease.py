"""Leases are kept from a thread of their own, by rules that a test can step through."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Cancel, Release
from stem.contracts.store import Delivery, Keeper, LeaseVerdict, Renewal
from stem.errors import StoreUnavailable
from stem.registry import definition
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.worker.held import Held
from stem.worker.lease import LONGEST_PAUSE, LeaseKeeper, due, next_look
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Workshop, delivery, eventually, turns

News = list[tuple[Held, LeaseVerdict]]


def _held(renew_at: int, given: Delivery | None = None) -> Held:
    given = given or delivery()
    return Held(given, 0, given.lease, renew_at)


class _Broken:
    """A keeper that cannot reach its store until it is repaired."""

    def __init__(self) -> None:
        self.broken = True
        self.renewed = 0

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        if self.broken:
            raise StoreUnavailable(expected="a", found="b", do="c.")
        self.renewed += len(renewals)
        return [LeaseVerdict.KEPT for _ in renewals]

    def close(self) -> None:
        self.broken = True


def _keeper(opened: Keeper, held: list[Held], clock: ManualClock, news: News | None = None) -> LeaseKeeper:
    told: News = [] if news is None else news
    return LeaseKeeper(lambda: opened, lambda: held, clock=clock, tell=told.extend)


def test_only_what_is_due_is_renewed() -> None:
    early, late = _held(5), _held(6)

    assert due([early, late], 5) == [early]


def test_the_thread_looks_again_when_the_next_lease_is_due() -> None:
    assert next_look([_held(9), _held(7)], 5) == 2
    assert next_look([], 5) == LONGEST_PAUSE


def test_a_lease_is_renewed_each_third_of_its_length(clock: ManualClock) -> None:
    store = _Broken()
    store.broken = False
    keeper = _keeper(store, [_held(0)], clock)

    for _ in range(30):
        keeper.tick()
        clock.advance(1)

    assert store.renewed == 8  # at 0 s, and then at the first whole second after each 3.3 s


async def test_a_renewal_moves_the_expiry_by_the_whole_lease(
    shop: Workshop, store: MemoryStore, clock: ManualClock
) -> None:
    task_id = await shop.bench.put()
    given = await shop.bench.delivery()
    clock.advance(9)

    _keeper(store.keeper(), [_held(0, given)], clock).tick()

    assert (await shop.bench.record(task_id)).lease_until == clock.now() + 10 * SECOND


async def test_all_that_is_not_simply_kept_is_told_at_once(
    shop: Workshop, store: MemoryStore, clock: ManualClock
) -> None:
    held: list[Held] = []
    for _ in range(4):
        await shop.bench.put()
        held.append(_held(0, await shop.bench.delivery()))
    await shop.bench.apply(Release(), fence=held[0].fence)
    await shop.bench.apply(Cancel(held[1].fence.task_id))
    await shop.bench.apply(Cancel(held[2].fence.task_id, terminate=True))
    news: News = []

    _keeper(store.keeper(), held, clock, news).tick()

    verdicts = [LeaseVerdict.LOST, LeaseVerdict.CANCEL, LeaseVerdict.TERMINATE]
    assert news == list(zip(held[:3], verdicts, strict=True))


def test_while_the_store_is_away_it_tries_again_within_a_second(clock: ManualClock) -> None:
    store, held = _Broken(), _held(0)
    keeper = _keeper(store, [held], clock)

    assert keeper.tick() <= SECOND
    assert due([held], clock.elapsed()) == [held]
    store.broken = False
    keeper.tick()

    assert store.renewed == 1


def test_the_thread_renews_without_the_event_loop_and_gives_its_connection_back(clock: ManualClock) -> None:
    renewed, closed = threading.Event(), threading.Event()

    class Watched(_Broken):
        def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
            renewed.set()
            return [LeaseVerdict.KEPT for _ in renewals]

        def close(self) -> None:
            closed.set()

    keeper = _keeper(Watched(), [_held(0)], clock)
    keeper.start()
    assert renewed.wait(10)

    keeper.stop()
    keeper.join(10)

    assert closed.is_set()


def test_the_thread_survives_a_mistake_of_the_engine(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    again = threading.Event()

    class Mistaken(_Broken):
        def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
            self.renewed += 1
            if self.renewed == 1:
                raise ZeroDivisionError
            again.set()
            return [LeaseVerdict.KEPT for _ in renewals]

    held = _held(0)
    keeper = _keeper(Mistaken(), [held], clock)
    keeper.start()
    while not again.wait(0.01):
        keeper.soon(held)
    keeper.stop()
    keeper.join(10)

    assert "the keeper could not renew" in caplog.text


def test_one_who_asks_is_renewed_at_once(clock: ManualClock) -> None:
    store, held = _Broken(), _held(SECOND)
    store.broken = False
    keeper = _keeper(store, [held], clock)
    keeper.tick()
    assert store.renewed == 0

    keeper.soon(held)
    keeper.tick()

    assert store.renewed == 1


async def test_a_task_ten_times_longer_than_its_lease_runs_once(shop: Workshop, clock: ManualClock) -> None:
    tasks.gates.gate = tasks.Gate()
    task_id = await shop.enqueue(definition(tasks.holds).call())
    mine, other = shop.hands(tasks.holds), shop.hands(tasks.holds, name="worker-2")
    mine.fetch()
    await turns()
    other.fetch()

    for _ in range(100):
        clock.advance(1)
        mine.engine.keeper.tick()
        await other.engine.sweeper.sweep()
        await turns(3)
    tasks.gates.gate.open()
    await eventually(lambda: mine.engine.slots.busy == 0)

    assert tasks.gates.gate.entered == 1
    assert other.stats.rescued == 0
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
