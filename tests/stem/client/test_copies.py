"""What a producer and an operator see of a broadcast; the tests play the workers, a real one hands it out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import aiosqlite
import pytest

from stem import Stem
from stem.adapters.memory import MemoryStore
from stem.contracts.changes import Settle
from stem.contracts.limits import TaskLimit
from stem.contracts.queries import TaskFilter
from stem.errors import BroadcastError, TaskCancelled, TaskFailed, UnknownId, WaitTimeout
from stem.registry import Registry
from stem.tasks.handle import Copies, TaskHandle
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from tests.stem.client.support import charge
from tests.stem.client.test_why import beat

EVERYWHERE = charge.options(broadcast=True)


@pytest.fixture
async def crew(stem: Stem, store: MemoryStore) -> Stem:
    """Workers `a` and `b` have given a sign of life; the test plays them."""
    await beat(store, "a")
    await beat(store, "b")
    return stem


async def handed_out(stem: Stem, handle: TaskHandle[str], clock: ManualClock) -> Copies[str]:
    """A worker comes, hands out, and is gone: its own copy with it."""
    async with stem.worker(Registry.of(), name="hands"):
        await clock.run_for(0.1)
    return await handle.copies()


async def ends(bench: Bench, worker: str, end: Settle) -> None:
    await bench.finish(end, queues={f"worker:{worker}": 1})


def good(result: bytes | None) -> Settle:
    return Settle(TaskEvent.SUCCEEDED, result)


class TestHandles:
    async def test_there_is_a_handle_for_each_worker_and_all_results_by_worker(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        copies = await handed_out(crew, await EVERYWHERE.enqueue(crew, 7), clock)
        assert sorted(copies) == ["a", "b", "hands"]
        await ends(bench, "a", good(b'"one"'))
        await ends(bench, "b", good(b'"two"'))
        await ends(bench, "hands", good(b'"three"'))
        assert await copies.result() == {"a": "one", "b": "two", "hands": "three"}
        assert await copies["b"].result() == "two"
        assert {status.state for status in (await copies.status()).values()} == {TaskState.SUCCEEDED}

    async def test_the_first_copy_without_a_result_is_the_error_of_all(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        copies = await handed_out(crew, await EVERYWHERE.enqueue(crew, 7), clock)
        await ends(bench, "b", Settle(TaskEvent.FAILED, error=Failure("ValueError", "no disk")))
        with pytest.raises(TaskFailed, match="no disk"):
            await copies.result()

    async def test_results_are_kept_by_worker_even_where_the_task_ignores_its_own(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        handle = await EVERYWHERE.options(ignore_result=True).enqueue(crew, 7)
        copies = await handed_out(crew, handle, clock)
        await ends(bench, "a", good(b'"one"'))
        assert await copies["a"].result() == "one"

    async def test_before_it_is_handed_out_copies_are_waited_for(self, crew: Stem, clock: ManualClock) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        waiting = asyncio.ensure_future(handle.copies(timeout=timedelta(seconds=3)))
        await clock.run_for(2.9)
        assert not waiting.done()
        await clock.run_for(0.1)
        with pytest.raises(WaitTimeout, match="handed out within 3 s"):
            await waiting

    async def test_what_ended_before_it_was_handed_out_has_no_copies(self, crew: Stem) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        await handle.cancel()
        with pytest.raises(TaskCancelled):
            await handle.copies()

    async def test_other_tasks_have_no_copies_and_unknown_ones_are_unknown(self, crew: Stem) -> None:
        with pytest.raises(BroadcastError, match="which one worker runs"):
            await (await charge.enqueue(crew, 7)).copies()
        with pytest.raises(UnknownId):
            await charge.handle(crew, "nobody").copies()

    async def test_the_result_of_a_broadcast_says_where_the_results_are(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        await handed_out(crew, handle, clock)
        for worker in ("a", "b", "hands"):
            await ends(bench, worker, good(b'"x"'))
        async with crew.worker(Registry.of(), name="other"):
            await clock.run_for(5)
        with pytest.raises(BroadcastError, match="3 workers"):
            await handle.result()
        assert sorted(await handle.copies()) == ["a", "b", "hands"]


class TestCancelling:
    async def test_a_broadcast_is_cancelled_with_its_copies(self, crew: Stem, clock: ManualClock) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        copies = await handed_out(crew, handle, clock)
        assert (await handle.cancel()).state is TaskState.CANCELLED
        assert {status.state for status in (await copies.status()).values()} == {TaskState.CANCELLED}

    async def test_a_copy_can_be_cancelled_alone(self, crew: Stem, clock: ManualClock) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        copies = await handed_out(crew, handle, clock)
        await copies["a"].cancel()
        assert {worker: status.state for worker, status in (await copies.status()).items() if worker != "hands"} == {
            "a": TaskState.CANCELLED,
            "b": TaskState.QUEUED,
        }

    async def test_operators_cancel_and_revoke_it_with_its_copies(
        self, crew: Stem, clock: ManualClock, store: MemoryStore
    ) -> None:
        first, second = await EVERYWHERE.enqueue(crew, 1), await EVERYWHERE.enqueue(crew, 2)
        swept, revoked = [await handed_out(crew, handle, clock) for handle in (first, second)]
        await crew.operate.cancel(await crew.operate.waiting(TaskFilter(root=first.id)))
        await crew.operate.revoke([second.id])
        states = [*(await swept.status()).values(), *(await revoked.status()).values()]
        assert {status.state for status in states} == {TaskState.CANCELLED}
        ids = {second.id, *(handle.id for handle in revoked.values())}
        assert {revocation.task_id for revocation in await store.revoked(tuple(ids))} == ids

    async def test_purging_its_queue_takes_the_copies_along(self, crew: Stem, clock: ManualClock) -> None:
        copies = await handed_out(crew, await EVERYWHERE.enqueue(crew, 1), clock)
        swept = await crew.operate.cancel(await crew.operate.waiting(TaskFilter(queue="default")))
        assert (len(swept.ids), swept.refused) == (4, {})
        assert {status.state for status in (await copies.status()).values()} == {TaskState.CANCELLED}


class TestWhy:
    async def test_a_broadcast_tells_of_its_copies(self, crew: Stem, bench: Bench, clock: ManualClock) -> None:
        handle = await EVERYWHERE.enqueue(crew, 7)
        copies = await handed_out(crew, handle, clock)
        await ends(bench, "a", good(b'"x"'))
        first, *others = (await crew.inspect.why(handle.id)).reasons
        assert "handed out to 3 workers (1 parked, 1 queued, 1 succeeded)" in first.text
        assert [(reason.text, reason.do) for reason in others] == [
            (f"the copy of worker {worker} is {state}", f"stem why {copies[worker].id}")
            for worker, state in (("b", "queued"), ("hands", "parked"))
        ]

    async def test_a_copy_tells_whether_its_worker_lives(
        self, crew: Stem, clock: ManualClock, store: MemoryStore
    ) -> None:
        copies = await handed_out(crew, await EVERYWHERE.enqueue(crew, 7), clock)
        await store.retire("b")
        alive, gone = [(await crew.inspect.why(copies[worker].id)).reasons[-1].text for worker in ("a", "b")]
        assert "nothing hinders it" in alive
        assert "the copy of worker b, which is gone" in gone

    async def test_a_private_queue_is_served_by_its_worker_alone(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        await handed_out(crew, await EVERYWHERE.enqueue(crew, 7), clock)
        assert (await crew.inspect.health()).unserved == ("worker:hands",)


class TestAsAnyTask:
    async def test_it_holds_its_unique_key_until_every_copy_has_ended(
        self, crew: Stem, bench: Bench, clock: ManualClock
    ) -> None:
        keyed = EVERYWHERE.options(unique_key="reload")
        handle = await keyed.enqueue(crew, 7)
        await handed_out(crew, handle, clock)
        again = await keyed.enqueue(crew, 7)
        assert (again.id, again.duplicate) == (handle.id, True)

    async def test_the_allowance_of_its_task_is_used_by_copies_only(
        self, crew: Stem, bench: Bench, clock: ManualClock, store: MemoryStore
    ) -> None:
        await store.declare_limits([TaskLimit(name=charge.name, shared=charge.name, concurrency=1)])
        handle = await EVERYWHERE.options(concurrency_key="{order_id}").enqueue(crew, 7)
        await handed_out(crew, handle, clock)
        assert len(await bench.leased_ids(5, queues={"worker:a": 1, "worker:b": 1})) == 1

    async def test_many_are_enqueued_at_once_with_others(self, crew: Stem, clock: ManualClock) -> None:
        batch = await crew.enqueue_many([EVERYWHERE.call(1), charge.call(2), EVERYWHERE.call(3)])
        async with crew.worker(Registry.of(), name="hands"):
            await clock.run_for(0.1)
        first, last = await batch[0].copies(), await batch[2].copies()
        assert sorted(first) == sorted(last) == ["a", "b", "hands"]
        assert {(await handle.status()).root for handle in first.values()} == {batch.id}

    async def test_a_queue_that_is_paused_hands_nothing_out(self, crew: Stem, clock: ManualClock) -> None:
        await crew.operate.pause("default")
        handle = await EVERYWHERE.enqueue(crew, 7)
        async with crew.worker(Registry.of(), name="hands"):
            await clock.run_for(0.1)
            assert (await handle.status()).state is TaskState.QUEUED
            await crew.operate.resume("default")
            await clock.run_for(0.1)
        assert len(await handle.copies()) == 3

    async def test_it_joins_a_transaction_of_the_caller(self, tmp_path: Path) -> None:
        place = tmp_path / "stem.db"
        async with Stem(f"sqlite:///{place}") as stem, aiosqlite.connect(place) as connection:
            taken_back = await stem.enqueue(EVERYWHERE.call(1), connection=connection)
            await connection.rollback()
            handle = await stem.enqueue(EVERYWHERE.call(2), connection=connection)
            await connection.commit()
            async with stem.worker(Registry.of(), name="a"):
                assert list(await handle.copies(timeout=timedelta(seconds=30))) == ["a"]
            with pytest.raises(UnknownId):
                await taken_back.copies()
