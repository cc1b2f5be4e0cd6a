"""Messages on one engine, results on another: what happens between the two writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Change,
    OpenGroup,
    Replay,
    SealGroup,
    Settle,
    Verdict,
)
from stem.contracts.outcomes import OLD_AGAIN, Outcome
from stem.contracts.store import Listener, Notice, Store, Subscription
from stem.errors import StoreUnavailable
from stem.registry import Registry, definition
from stem.stores.open import open_split, open_store
from stem.stores.split import SplitStore
from stem.tasks.links import After, Member
from stem.tasks.markers import task
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import SECOND, SUCCESS, seconds

ERROR = Failure("ValueError", "no")
OLD = OLD_AGAIN / SECOND
OTHER_END = Settle(TaskEvent.SUCCEEDED, result=b'"other"')


class Unreachable(MemoryStore):
    """An engine that can be lost: a broker between the two writes, results before them."""

    is_lost = False

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        self._answer()
        return await super().record_outcomes(outcomes)

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        self._answer()
        return await super().commit(changes)

    def listen(self, listener: Listener) -> Subscription:
        return super().listen(lambda notice: listener(notice._replace(results=dict.fromkeys(notice.tasks, b""))))

    async def awaited(self, ids: Sequence[str]) -> frozenset[str]:
        self._answer()
        return await super().awaited(ids)

    def _answer(self) -> None:
        if self.is_lost:
            raise StoreUnavailable(expected="an engine", found="none", do="Wait.")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def broker(clock: ManualClock) -> Unreachable:
    return Unreachable(clock)


@pytest.fixture
def results(clock: ManualClock) -> Unreachable:
    return Unreachable(clock)


@pytest.fixture
def bench(broker: Unreachable, results: MemoryStore, clock: ManualClock) -> Bench:
    return Bench(SplitStore(broker, results), clock)


async def _end_without_the_broker(bench: Bench, broker: Unreachable, end: Settle | Bury = SUCCESS) -> str:
    """A task whose outcome is recorded and whose message was not ended: its worker died between the two writes."""
    delivery = await bench.running()
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.write(end, publish(id="after"), fence=delivery.fence)
    broker.is_lost = False
    bench.clock.advance(delivery.lease / 1_000_000 + 1)
    return delivery.fence.task_id


async def test_an_end_sent_again_keeps_the_ignored_result_for_which_a_continuation_waits(
    bench: Bench, results: Unreachable
) -> None:
    upstream = await bench.put(ignore_result=True)
    await bench.put(after=After(upstream))
    delivery = await bench.delivery()
    results.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.write(SUCCESS, fence=delivery.fence)
    results.is_lost = False
    await bench.apply(SUCCESS, fence=delivery.fence)
    assert (await bench.store.results([upstream]))[upstream].result == SUCCESS.result


async def test_a_group_that_a_task_makes_with_its_end_is_made_by_who_finds_the_outcome(
    bench: Bench, broker: Unreachable
) -> None:
    delivery = await bench.running()
    member = publish(id="member", member=Member("group", 0))
    made = (OpenGroup(group="group", size=1), member, publish(id="after", after=After("group", "group")))
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.write(SUCCESS, *made, SealGroup("group"), fence=delivery.fence)
    broker.is_lost = False
    bench.clock.advance(delivery.lease / 1_000_000 + 1)
    assert await bench.take(await bench.suspect(delivery.fence)) == []
    assert await bench.finish_all() == ["member", "after"]


async def test_what_a_task_makes_with_its_end_keeps_its_keys_when_who_finds_the_outcome_makes_it(
    bench: Bench, broker: Unreachable
) -> None:
    delivery = await bench.running()
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.write(SUCCESS, publish(id="next", rate_key="a", concurrency_key="b"), fence=delivery.fence)
    broker.is_lost = False
    bench.clock.advance(delivery.lease / 1_000_000 + 1)
    assert await bench.take(await bench.suspect(delivery.fence)) == []
    record = await bench.record("next")
    assert (record.rate_key, record.concurrency_key) == ("a", "b")


async def test_results_are_recorded_in_the_results_and_not_in_the_broker(
    bench: Bench, broker: MemoryStore, results: MemoryStore
) -> None:
    delivery = await bench.running()
    await bench.apply(SUCCESS, fence=delivery.fence)
    assert (await broker.results([delivery.fence.task_id]))[delivery.fence.task_id].result is None
    assert (await results.outcomes([delivery.fence.task_id]))[delivery.fence.task_id].result == SUCCESS.result
    assert (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id].result == SUCCESS.result


async def test_what_was_recorded_is_not_run_again_when_its_message_comes_back(
    bench: Bench, broker: Unreachable
) -> None:
    task_id = await _end_without_the_broker(bench, broker)
    (suspect,) = await bench.store.suspects()
    assert await bench.take(suspect) == []
    assert await bench.state(task_id) is TaskState.SUCCEEDED
    assert await bench.leased_ids() == ["after"]


async def test_an_end_that_was_recorded_can_be_sent_again_with_what_it_publishes(
    bench: Bench, broker: Unreachable
) -> None:
    delivery = await bench.running()
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.write(SUCCESS, publish(id="after"), fence=delivery.fence)
    broker.is_lost = False
    assert await bench.write(SUCCESS, publish(id="after"), fence=delivery.fence) == APPLIED
    assert await bench.leased_ids() == ["after"]


async def test_the_first_outcome_that_was_recorded_wins(bench: Bench, broker: Unreachable) -> None:
    task_id = await _end_without_the_broker(bench, broker, Bury("gave up", ERROR))
    second = Bench(SplitStore(broker, bench.store._results), bench.clock)  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]  # the same results
    (suspect,) = await broker.suspects()
    assert await second.take(suspect) == []
    record = await second.record(task_id)
    assert (record.state, record.bury_reason, record.error) == (TaskState.FAILED, "gave up", ERROR)


async def test_what_a_later_end_publishes_goes_with_it(bench: Bench, broker: Unreachable, results: MemoryStore) -> None:
    delivery = await bench.running()
    other = SplitStore(broker, results)
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await other.commit([Change((Bury("gave up", ERROR),), delivery.fence)])
    broker.is_lost = False
    assert await bench.write(SUCCESS, publish(id="after"), fence=delivery.fence) == APPLIED
    assert await bench.state(delivery.fence.task_id) is TaskState.FAILED
    assert await bench.store.get(["after"]) == {}


async def test_a_fenced_end_records_nothing(bench: Bench, results: MemoryStore) -> None:
    lost = await bench.running()
    await bench.lose(lost)
    assert await bench.write(SUCCESS, fence=lost.fence) == FENCED
    assert await results.outcomes([lost.fence.task_id]) == {}


async def test_the_outcome_of_an_earlier_generation_is_not_that_of_the_present_one(bench: Bench) -> None:
    delivery = await bench.running()
    task_id = delivery.fence.task_id
    await bench.apply(Bury("gave up", ERROR), fence=delivery.fence)
    await bench.apply(Replay(task_id))
    assert (await bench.store.results([task_id]))[task_id].state is TaskState.QUEUED
    again = await bench.delivery()
    await bench.apply(OTHER_END, fence=again.fence)
    assert (await bench.store.results([task_id]))[task_id].result == OTHER_END.result


async def test_what_the_broker_forgot_is_answered_from_the_results(
    bench: Bench, results: MemoryStore, clock: ManualClock
) -> None:
    delivery = await bench.running(result_ttl=seconds(100))
    await bench.apply(SUCCESS, fence=delivery.fence)
    after_the_loss = SplitStore(MemoryStore(clock), results)
    stored = (await after_the_loss.results([delivery.fence.task_id]))[delivery.fence.task_id]
    assert (stored.state, stored.result) == (TaskState.SUCCEEDED, SUCCESS.result)


async def test_a_result_goes_when_what_waited_for_it_has_ended(bench: Bench, results: MemoryStore) -> None:
    first = await bench.put(result_ttl=0)
    await bench.put(after=After(first), result_ttl=0)
    await bench.finish()
    bench.clock.advance(OLD)
    await bench.store.retain(10)
    assert set(await results.outcomes([first])) == {first}
    await bench.finish()
    bench.clock.advance(OLD)
    await bench.store.retain(10)
    assert await results.outcomes([first]) == {}


async def test_nothing_is_forgotten_while_the_broker_does_not_say_what_waits(
    bench: Bench, broker: Unreachable, results: MemoryStore
) -> None:
    await bench.put(result_ttl=0)
    task_id = await bench.finish()
    bench.clock.advance(OLD)
    broker.is_lost = True
    with pytest.raises(StoreUnavailable):
        await bench.store.retain(10)
    assert set(await results.outcomes([task_id])) == {task_id}


async def test_an_ignored_result_is_answered_only_if_somebody_waited_for_it(bench: Bench) -> None:
    heard: list[Notice] = []
    ear = bench.store.listen(heard.append)
    ids = [await bench.put(ignore_result=True) for _ in range(2)]
    deliveries = (await bench.lease(2)).deliveries
    await bench.put(after=After(ids[1]))
    for delivery in deliveries:
        await bench.apply(SUCCESS, fence=delivery.fence)
    found = await bench.store.results(ids)
    assert [found[id_].result for id_ in ids] == [None, SUCCESS.result]
    assert [found[id_].ignored for id_ in ids] == [True, False]
    assert [(await bench.record(id_)).result for id_ in ids] == [None, SUCCESS.result]
    assert {task_id for notice in heard for task_id in notice.tasks} == set(ids)
    assert not any(notice.results for notice in heard)
    ear.close()


async def test_two_urls_that_are_the_same_are_one_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/stem.db"
    store = await open_split(url, url, StoreOptions())
    assert not isinstance(store, SplitStore)
    await store.aclose()


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{tmp_path}/results.db", StoreOptions())
    yield store
    await store.aclose()


async def test_an_application_has_its_results_where_it_says(tmp_path: Path, reader: Store) -> None:
    @task(name="tests.double")
    async def double(number: int) -> int:
        return 2 * number

    broker, results = f"sqlite:///{tmp_path}/stem.db", f"sqlite:///{tmp_path}/results.db"
    async with Stem(broker=broker, results=results) as stem, stem.worker(Registry.of(double)):
        handle = await definition(double).enqueue(stem, 21)
        assert await handle.result(timeout=timedelta(seconds=30)) == 42
    assert (await reader.outcomes([handle.id]))[handle.id].result == b"42"
