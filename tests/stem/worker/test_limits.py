"""Limits over several workers: declared before the first lease, never exceeded, used, and no reason to be busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from stem import task
from stem.adapters.memory import MemoryStore
from stem.contracts.limits import TaskLimit
from stem.contracts.store import LeaseAnswer, LeaseRequest
from stem.errors import ConfigError, StoreUnavailable
from stem.registry import Registry, definition
from stem.tasks.rates import parse_rate
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.worker.limits import limit_of
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, Hands, Workshop, turns


@task(name="tests.metered", rate_limit="20/s", aliases=("tests.counted",))
async def metered() -> None: ...


@task(name="tests.slow", rate_limit="1/s")
async def slow() -> None: ...


@task(name="tests.few", concurrency=3)
async def few() -> None:
    running.now += 1
    running.most = max(running.most, running.now)
    await running.gate.wait()
    running.now -= 1


@task(name="tests.lone", concurrency=1, max_retries=9)
async def lone() -> None:
    await tasks.gates.gate.passing()


class Running:
    """How many of a task run, and the gate that they wait at."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.now = self.most = 0
        self.gate = asyncio.Event()


running = Running()


class Calls:
    """What is asked of the store, in order; it is away for so many calls."""

    def __init__(self, store: MemoryStore, patch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.away = 0
        self._declare, self._lease = store.declare_limits, store.lease
        patch.setattr(store, "declare_limits", self._hear_limits)
        patch.setattr(store, "lease", self._hear_lease)

    def of(self, method: str) -> int:
        return self.made.count(method)

    async def _hear_limits(self, limits: Sequence[TaskLimit]) -> None:
        self._meet("declare")
        await self._declare(limits)

    async def _hear_lease(self, request: LeaseRequest) -> LeaseAnswer:
        self._meet("lease")
        return await self._lease(request)

    def _meet(self, method: str) -> None:
        self.made.append(method)
        if self.away:
            self.away -= 1
            raise StoreUnavailable(expected="a", found="b", do="c.")


@pytest.fixture
def calls(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(store, monkeypatch)


@pytest.fixture(autouse=True)
def fresh() -> None:
    tasks.gates.gate = tasks.Gate()
    running.begin()


def start_four(shop: Workshop, *handlers: Callable[..., object], concurrency: int = 10) -> list[Hands]:
    workers = [shop.hands(*handlers, name=f"worker-{n}", concurrency=concurrency) for n in range(4)]
    for worker in workers:
        worker.fetch()
    return workers


async def starts(shop: Workshop) -> list[int]:
    records = await shop.bench.everything()
    return sorted(record.started_at for record in records.values() if record.started_at is not None)


async def publish(shop: Workshop, handler: Callable[[], object], count: int) -> None:
    for _ in range(count):
        await shop.enqueue(definition(handler).call())


async def test_limits_are_declared_before_the_first_lease(shop: Workshop, calls: Calls) -> None:
    shop.hands(metered, few).fetch()
    await turns()
    assert calls.made[:2] == ["declare", "lease"]
    assert calls.of("declare") == 1


async def test_every_name_shares_the_allowance_of_the_present_one(shop: Workshop) -> None:
    shop.hands(metered, few, tasks.add).fetch()
    await turns()
    assert await shop.store.limits() == (
        TaskLimit(name="tests.counted", shared="tests.metered", rate=parse_rate("20/s")),
        TaskLimit(name="tests.few", shared="tests.few", concurrency=3),
        TaskLimit(name="tests.metered", shared="tests.metered", rate=parse_rate("20/s")),
    )


async def test_a_limit_that_is_in_the_decorator_no_more_is_taken_back(shop: Workshop) -> None:
    await shop.store.declare_limits([TaskLimit(name="tests.add", shared="tests.add", concurrency=1)])
    shop.hands(tasks.add).fetch()
    await turns()
    assert await shop.store.limits() == ()


async def test_nothing_is_leased_before_the_limits_could_be_declared(
    shop: Workshop, calls: Calls, clock: ManualClock
) -> None:
    calls.away = 3
    shop.hands(metered).fetch()
    await clock.run_for(0.34)
    assert calls.made == ["declare"] * 3
    await clock.run_for(0.1)
    assert calls.made[:5] == ["declare"] * 4 + ["lease"]


async def test_a_rate_that_is_none_stops_the_start_and_names_the_task(shop: Workshop) -> None:
    @task(name="tests.odd", rate_limit="10/fortnight")
    async def odd() -> None: ...

    with pytest.raises(ConfigError, match=r"in task 'tests\.odd', `rate_limit` .* found '10/fortnight'"):
        async with shop.worker(odd):
            pass
    assert await shop.store.workers() == ()


def test_a_task_without_limits_declares_none() -> None:
    (binding,) = Registry.of(tasks.add).bindings
    assert limit_of(binding) == TaskLimit(name="tests.add", shared="tests.add")


async def test_four_workers_never_exceed_a_rate_and_use_95_percent_of_it(shop: Workshop, clock: ManualClock) -> None:
    await publish(shop, metered, 250)
    start_four(shop, metered)
    await clock.run_for(10)
    taken = await starts(shop)
    assert all(late - early >= SECOND for early, late in zip(taken, taken[20:], strict=False))
    assert len(taken) >= 0.95 * 20 * 10


async def test_what_waits_for_a_rate_is_fetched_once_and_keeps_no_worker_busy(
    shop: Workshop, calls: Calls, clock: ManualClock
) -> None:
    await publish(shop, slow, 30)
    start_four(shop, slow)
    await clock.run_for(20)
    records = (await shop.bench.everything()).values()
    assert 19 <= sum(record.state is TaskState.SUCCEEDED for record in records) <= 20
    assert max(record.deliveries for record in records) == 1
    assert calls.of("lease") <= 4 * 20 * 3


async def test_four_workers_never_run_more_at_once_than_the_concurrency(
    shop: Workshop, calls: Calls, clock: ManualClock
) -> None:
    await publish(shop, few, 40)
    start_four(shop, few)
    await clock.run_for(0.1)
    asked = calls.of("lease")
    await clock.run_for(4)
    assert (running.now, calls.of("lease") - asked) == (3, 0)
    running.gate.set()
    await clock.run_for(1)
    assert running.most == 3
    assert {record.state for record in (await shop.bench.everything()).values()} == {TaskState.SUCCEEDED}
    assert {record.deliveries for record in (await shop.bench.everything()).values()} == {1}


async def test_what_is_limited_holds_up_nothing_else(shop: Workshop, clock: ManualClock) -> None:
    await publish(shop, lone, 50)
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))
    shop.hands(lone, tasks.add, concurrency=2).fetch()
    await clock.run_for(0.1)
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED


async def test_the_places_of_a_dead_worker_come_back(shop: Workshop, clock: ManualClock) -> None:
    await publish(shop, lone, 2)
    dead = shop.hands(lone, name="dead")
    dead.fetch()
    await turns()
    await dead.aclose()
    other = shop.hands(lone, name="other")
    other.fetch()
    await clock.run_for(4)
    assert (await shop.store.room("tests.lone")).holders == 1
    for _ in range(8):
        await other.engine.sweeper.sweep()
        await clock.run_for(2)
    tasks.gates.gate.open()
    await clock.run_for(6)
    assert {record.state for record in (await shop.bench.everything()).values()} == {TaskState.SUCCEEDED}
    assert (await shop.store.room("tests.lone")).holders == 0
