"""Unique keys: one task at a time may hold one."""

from __future__ import annotations

import asyncio

import pytest

from stem.contracts.changes import (
    APPLIED,
    Bury,
    Cancel,
    Change,
    Duplicate,
    Park,
    RefusalCode,
    Refused,
    Release,
    Replay,
    Reschedule,
    Settle,
    UniqueKey,
    Write,
)
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, label, publish, seconds

__all__ = ["UniqueContract"]

KEY = UniqueKey("order-7")
ENDS: tuple[Write, ...] = (SUCCESS, Settle(TaskEvent.FAILED), Settle(TaskEvent.EXPIRED), Bury("crashed"))
BACK: tuple[Write, ...] = (Release(), Reschedule(0, Failure("E", "m")), Park("unknown", "registry-9", seconds(9)))


class UniqueContract(Contract):
    """`UniqueKey`, and the verdict `Duplicate`."""

    async def test_a_taken_key_answers_the_id_of_its_holder_and_nothing_is_written(self, bench: Bench) -> None:
        holder = await bench.put(unique=KEY)
        assert await bench.write(publish(unique=KEY)) == Duplicate(holder)
        assert set(await bench.everything()) == {holder}

    async def test_another_key_is_free(self, bench: Bench) -> None:
        await bench.put(unique=KEY)
        await bench.put(unique=UniqueKey("order-8"))
        assert len(await bench.everything()) == 2

    async def test_the_holder_published_again_is_applied_because_its_id_is_known(self, bench: Bench) -> None:
        write = publish(unique=KEY)
        await bench.apply(write)
        await bench.apply(write)
        assert len(await bench.everything()) == 1

    @pytest.mark.parametrize("end", ENDS, ids=label)
    async def test_a_key_is_released_when_its_holder_is_terminal(self, bench: Bench, end: Write) -> None:
        delivery = await bench.running(unique=KEY)
        await bench.apply(end, fence=delivery.fence)
        await bench.put(unique=KEY)

    async def test_a_key_is_released_when_its_holder_is_cancelled(self, bench: Bench) -> None:
        await bench.apply(Cancel(await bench.put(unique=KEY)))
        await bench.put(unique=KEY)

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_a_key_is_kept_while_its_holder_runs_or_waits_again(self, bench: Bench, back: Write) -> None:
        delivery = await bench.running(unique=KEY)
        assert await bench.write(publish(unique=KEY)) == Duplicate(delivery.fence.task_id)
        await bench.apply(back, fence=delivery.fence)
        bench.clock.advance(86_400)
        assert await bench.write(publish(unique=KEY)) == Duplicate(delivery.fence.task_id)

    async def test_a_key_with_a_lifetime_is_released_exactly_after_it(self, bench: Bench) -> None:
        holder = await bench.put(unique=UniqueKey("order-7", seconds(10)))
        bench.clock.advance(9.999999)
        assert await bench.write(publish(unique=KEY)) == Duplicate(holder)
        bench.clock.advance(0.000001)
        await bench.put(unique=KEY)

    async def test_a_key_with_a_lifetime_outlives_the_end_of_its_holder(self, bench: Bench) -> None:
        delivery = await bench.running(unique=UniqueKey("order-7", seconds(10)))
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(9)
        assert await bench.write(publish(unique=KEY)) == Duplicate(delivery.fence.task_id)
        bench.clock.advance(1)
        await bench.put(unique=KEY)

    async def test_a_task_whose_key_has_passed_on_releases_nothing_when_it_ends(self, bench: Bench) -> None:
        early = await bench.running(unique=UniqueKey("order-7", seconds(10)))
        bench.clock.advance(10)
        holder = await bench.put(unique=KEY)
        await bench.apply(SUCCESS, fence=early.fence)
        assert await bench.write(publish(unique=KEY)) == Duplicate(holder)

    async def test_in_a_fenced_change_a_taken_key_cancels_the_new_task_and_the_rest_is_applied(
        self, bench: Bench
    ) -> None:
        holder = await bench.put(unique=KEY, queue="mail")
        delivery = await bench.running()
        double, free = publish(unique=KEY), publish()
        await bench.apply(SUCCESS, double, free, fence=delivery.fence)
        record = await bench.record(double.envelope.id)
        assert (record.state, record.finished_at) == (TaskState.CANCELLED, bench.clock.now())
        assert record.error is not None
        assert (record.error.kind, record.error.message) == ("DuplicateTask", f"duplicate of {holder}")
        assert await bench.state(delivery.fence.task_id) is TaskState.SUCCEEDED
        assert await bench.leased_ids(9) == [free.envelope.id]

    async def test_the_end_of_a_task_frees_its_key_for_the_follow_ups_of_the_same_change(self, bench: Bench) -> None:
        delivery = await bench.running(unique=KEY)
        follow_up = publish(unique=KEY)
        await bench.apply(SUCCESS, follow_up, fence=delivery.fence)
        assert await bench.state(follow_up.envelope.id) is TaskState.QUEUED
        assert await bench.write(publish(unique=KEY)) == Duplicate(follow_up.envelope.id)

    async def test_a_task_cancelled_as_a_duplicate_releases_nothing(self, bench: Bench) -> None:
        holder = await bench.put(unique=KEY, queue="mail")
        await bench.apply(publish(unique=KEY), publish())
        assert await bench.write(publish(unique=KEY)) == Duplicate(holder)

    async def test_of_two_in_one_batch_the_first_gets_the_key(self, bench: Bench) -> None:
        first, second, third = publish(unique=KEY), publish(unique=KEY), publish()
        verdicts = await bench.store.commit([Change((write,)) for write in (first, second, third)])
        assert verdicts == [APPLIED, Duplicate(first.envelope.id), APPLIED]

    async def test_a_key_freed_in_a_batch_can_be_taken_later_in_the_batch(self, bench: Bench) -> None:
        first, second = publish(unique=KEY), publish(unique=KEY)
        changes = [Change((write,)) for write in (first, Cancel(first.envelope.id), second, first)]
        assert await bench.store.commit(changes) == [APPLIED] * 4
        assert await bench.state(second.envelope.id) is TaskState.QUEUED

    async def test_of_many_at_the_same_time_one_gets_the_key(self, bench: Bench) -> None:
        verdicts = await asyncio.gather(*(bench.write(publish(unique=KEY)) for _ in range(20)))
        (holder,) = await bench.everything()
        assert sorted(verdicts, key=repr) == [APPLIED, *[Duplicate(holder)] * 19]

    async def test_a_known_id_is_applied_although_another_task_has_its_key_now(self, bench: Bench) -> None:
        first = publish(unique=UniqueKey("k"))
        await bench.apply(first)
        await bench.apply(Cancel(first.envelope.id))
        holder = await bench.put(unique=UniqueKey("k"))
        await bench.apply(first)
        assert await bench.write(publish(unique=UniqueKey("k"))) == Duplicate(holder)

    async def test_a_replayed_task_takes_its_key_again(self, bench: Bench) -> None:
        task_id = await bench.put(unique=KEY)
        await bench.apply(Cancel(task_id))
        await bench.apply(Replay(task_id))
        assert await bench.write(publish(unique=KEY)) == Duplicate(task_id)

    async def test_a_replay_whose_key_is_taken_is_refused(self, bench: Bench) -> None:
        task_id = await bench.put(unique=KEY)
        await bench.apply(Cancel(task_id))
        await bench.put(unique=KEY)
        verdict = await bench.write(Replay(task_id))
        assert isinstance(verdict, Refused)
        assert verdict.code == RefusalCode.DUPLICATE
        assert await bench.state(task_id) is TaskState.CANCELLED

    async def test_a_task_cancelled_as_a_duplicate_is_replayed_when_its_key_is_free(self, bench: Bench) -> None:
        holder, double = await bench.put(unique=KEY), publish(unique=KEY)
        await bench.apply(double, publish())
        verdict = await bench.write(Replay(double.envelope.id))
        assert isinstance(verdict, Refused)
        assert verdict.code == RefusalCode.DUPLICATE
        await bench.apply(Cancel(holder))
        await bench.apply(Replay(double.envelope.id))
        assert await bench.write(publish(unique=KEY)) == Duplicate(double.envelope.id)
