"""Faults happen where they were asked for, every call can meet one, and what happened can happen again."""

from __future__ import annotations

import asyncio
import inspect
import logging
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import cast
from unittest.mock import AsyncMock

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Cancel, Change, Publish, Settle
from stem.contracts.store import Notice, Renewal, Store
from stem.errors import ConfigError, StoreUnavailable
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts.build import SUCCESS, Bench, publish
from stem.testing.faults import METHODS, Call, Chances, Fault, Faults, Point

ASYNC = sorted(name for name, _ in inspect.getmembers(Store, inspect.iscoroutinefunction))


def bench(faults: Faults, clock: ManualClock | None = None) -> tuple[Bench, Bench]:
    """The same memory with faults, and without."""
    clock = clock or ManualClock()
    store = MemoryStore(clock)
    return Bench(faults.around(store), clock), Bench(store, clock)


def call_of(store: Store, method: str) -> Awaitable[object]:
    """A call of this method with something in the place of every argument."""
    bound = cast("Callable[..., Awaitable[object]]", getattr(store, method))
    parameters = inspect.signature(bound).parameters.values()
    given: list[object] = [
        () for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty
    ]
    named = {each.name: None for each in parameters if each.kind is each.KEYWORD_ONLY}
    return bound(*given, **named)


@pytest.mark.parametrize("method", ASYNC)
async def test_every_method_that_asks_the_engine_can_fail_before_the_engine_hears_of_it(method: str) -> None:
    engine = AsyncMock()
    store = Faults.at(method, Fault.FAIL).around(engine)
    with pytest.raises(StoreUnavailable, match=method):
        await call_of(store, method)
    assert engine.mock_calls == []
    await call_of(store, method)
    assert [name for name, _, _ in engine.mock_calls] == [method]


@pytest.mark.parametrize("method", ASYNC)
async def test_every_method_that_asks_the_engine_can_lose_its_answer(method: str) -> None:
    engine = AsyncMock()
    store = Faults.at(method, Fault.DROP).around(engine)
    with pytest.raises(StoreUnavailable, match=method):
        await call_of(store, method)
    assert [name for name, _, _ in engine.mock_calls] == [method]


def test_what_asks_the_engine_without_a_coroutine_is_known_by_name() -> None:
    members = {name for name in dir(Store) if not name.startswith("_")}
    assert members - set(ASYNC) == {"capabilities", "keeper", "listen"}
    assert METHODS - set(ASYNC) == {"renew", "notice"}


async def test_a_renewal_can_fail_and_be_made_again() -> None:
    faulty, plain = bench(Faults.at("renew", Fault.DROP))
    delivery = await plain.running()
    plain.clock.advance(5)
    keeper = faulty.store.keeper()
    with pytest.raises(StoreUnavailable):
        keeper.renew([Renewal(delivery.fence, delivery.lease)])
    assert (await plain.record(delivery.fence.task_id)).lease_until == plain.clock.now() + delivery.lease
    keeper.close()


async def test_a_lost_notice_is_not_heard_and_the_next_one_is() -> None:
    faulty, _ = bench(Faults.at("notice", Fault.DROP))
    heard: list[Notice] = []
    faulty.store.listen(heard.append)
    await faulty.put(queue="a")
    await faulty.put(queue="b")
    assert [notice.queues for notice in heard] == [{"b"}]


async def test_a_commit_can_be_chosen_by_what_it_holds() -> None:
    faults = Faults.at("commit", Fault.DROP, nth=2, holding=Settle)
    faulty, plain = bench(faults)
    first, second = await faulty.put(), await faulty.put()
    assert await faulty.finish() == first
    delivery = await faulty.delivery()
    with pytest.raises(StoreUnavailable):
        await faulty.apply(SUCCESS, fence=delivery.fence)
    assert (await plain.state(second)).is_terminal
    assert faults.record == (Point("commit", Fault.DROP, nth=4),)


async def test_the_same_seed_lets_the_same_calls_meet_the_same_faults() -> None:
    records = [await _random_run(Faults.from_seed(seed, fail=0.2, drop=0.2, delay=0.2)) for seed in (7, 7, 8)]
    assert records[0] == records[1] != records[2]
    assert {point.fault for point in records[0]} == {Fault.FAIL, Fault.DROP, Fault.DELAY}


async def test_what_was_recorded_happens_again() -> None:
    record = await _random_run(Faults.from_seed(7, fail=0.2, drop=0.2))
    assert await _random_run(Faults.plan(*record)) == record


async def _random_run(faults: Faults) -> tuple[Point, ...]:
    faulty, _ = bench(faults)
    for number in range(40):
        await asyncio.gather(
            faulty.store.commit([Change((publish(id=f"task-{number}"),))]),
            faulty.store.queues(),
            return_exceptions=True,
        )
    return faults.record


def test_what_a_call_meets_does_not_depend_on_other_methods() -> None:
    chances = Chances(seed=1, fail=0.5)
    assert len({chances.choose(Call("commit", nth)) for nth in range(1, 50)}) == 2
    assert [chances.choose(Call("commit", nth)) for nth in range(50)] != [
        chances.choose(Call("lease", nth)) for nth in range(50)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_chance_closes_every_store_and_delays_nothing_that_blocks(seed: int) -> None:
    assert Chances(seed=seed, fail=1.0).choose(Call("aclose", 1)) is None
    assert Chances(seed=seed, delay=1.0).choose(Call("renew", 1)) is None
    assert Chances(seed=seed, delay=1.0).choose(Call("notice", 1)) is None


def test_the_shares_of_the_faults_are_their_chances() -> None:
    chances = Chances(seed=1, fail=0.1, drop=0.2, delay=0.3, kill=0.2)
    found = [chances.choose(Call("commit", nth)) for nth in range(10_000)]
    shares = {fault: round(found.count(fault) / len(found), 1) for fault in Fault}
    assert shares == {
        Fault.FAIL: 0.1,
        Fault.DROP: 0.2,
        Fault.DELAY: 0.3,
        Fault.KILL_BEFORE: 0.1,
        Fault.KILL_AFTER: 0.1,
    }


async def test_a_delayed_call_waits_on_the_clock_before_it_is_done_and_before_it_is_answered() -> None:
    clock = ManualClock()
    point = Point("commit", Fault.DELAY)
    faulty, plain = bench(Faults.plan(point, clock=clock, delay_by=timedelta(seconds=3)), clock)
    call = asyncio.ensure_future(faulty.put(id="late"))
    await clock.run_for(2.9)
    assert await plain.everything() == {}
    await clock.run_for(0.2)
    assert set(await plain.everything()) == {"late"}
    assert not call.done()
    await clock.run_for(3)
    assert await call == "late"


async def test_without_a_clock_a_delay_takes_turns_and_no_time() -> None:
    faulty, _ = bench(Faults.at("commit", Fault.DELAY))
    late = asyncio.ensure_future(faulty.put(id="late"))
    await asyncio.sleep(0)
    await faulty.put(id="early")
    await late
    assert [(await faulty.delivery()).fence.task_id for _ in range(2)] == ["early", "late"]


async def test_in_a_calm_nothing_happens_and_calls_are_counted() -> None:
    faults = Faults.from_seed(1, fail=1.0)
    faults.calm()
    faulty, _ = bench(faults)
    await faulty.put()
    await faulty.store.queues()
    assert (dict(faults.counts), faults.record) == ({"commit": 1, "queues": 1}, ())


async def test_each_fault_is_told_with_what_makes_it_happen_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stem.testing.faults")
    faulty, _ = bench(Faults.from_seed(7, fail=1.0))
    with pytest.raises(StoreUnavailable):
        await faulty.store.queues()
    (said,) = caplog.messages
    assert "queues" in said
    assert "Faults.from_seed(7, fail=1.0, " in said


async def test_what_a_store_warns_of_is_told_through_the_faults() -> None:
    class Warns(MemoryStore):
        async def warnings(self) -> tuple[str, ...]:
            return ("careful",)

    assert [
        await Faults().around(store).warnings()  # type: ignore[attr-defined]  # an offer besides the contract
        for store in (MemoryStore(ManualClock()), Warns(ManualClock()))
    ] == [(), ("careful",)]


@pytest.mark.parametrize("method", ["commti", "keeper", "capabilities"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(ConfigError, match="commit"):
        Faults.at(method, Fault.FAIL)


WRONG: dict[str, Callable[[], Faults]] = {
    "the call before the first": lambda: Faults.at("commit", Fault.FAIL, nth=0),
    "a lease that holds a write": lambda: Faults.at("lease", Fault.FAIL, holding=Cancel),
    "a renewal that waits": lambda: Faults.at("renew", Fault.DELAY),
    "less than never": lambda: Faults.from_seed(1, fail=-0.1),
    "more than always": lambda: Faults.from_seed(1, fail=0.6, drop=0.6),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_fault_that_cannot_be_is_refused(wrong: Callable[[], Faults]) -> None:
    with pytest.raises(ConfigError):
        wrong()


KILLED = """
import asyncio, sys
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change, Publish
from stem.stores.open import open_store
from stem.testing.contracts.build import publish
from stem.testing.faults import Fault, Faults

async def main():
    faults = Faults.at("commit", Fault[sys.argv[2]], nth=2, holding=Publish)
    store = faults.around(await open_store(sys.argv[1], StoreOptions()))
    for number in range(3):
        await store.commit([Change((publish(id=f"task-{number}"),))])

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("fault", "stored"), [(Fault.KILL_BEFORE, {"task-0"}), (Fault.KILL_AFTER, {"task-0", "task-1"})]
)
async def test_a_kill_ends_the_process_at_its_point(fault: Fault, stored: set[str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/stem.db"
    died = subprocess.run([sys.executable, "-c", KILLED, url, fault.name], timeout=60)
    assert died.returncode == -signal.SIGKILL
    store = await open_store(url, StoreOptions())
    assert set(await store.get(["task-0", "task-1", "task-2"])) == stored
    await store.aclose()


def test_a_publish_is_no_settle() -> None:
    point = Point("commit", Fault.FAIL, holding=Settle)
    assert not point.fits(Call("commit", 1, {Publish: 1}))
    assert point.fits(Call("commit", 5, {Settle: 1}))
