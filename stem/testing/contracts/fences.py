"""Fences: only who holds the lease may write, and what was sent twice is applied once."""

from __future__ import annotations

import pytest

from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Change,
    Fence,
    Park,
    Release,
    Report,
    Reschedule,
    Settle,
    Write,
)
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, SUCCESS, Bench, label, publish, seconds

__all__ = ["FenceContract"]

ENDS: tuple[Write, ...] = (
    SUCCESS,
    Settle(TaskEvent.FAILED, error=Failure("E", "m")),
    Reschedule(0, Failure("E", "m")),
    Release(),
    Bury("reason"),
    Park("unknown task", "registry-1", seconds(300)),
)


class FenceContract(Contract):
    """`Fence`, `Change.number`, and the verdict `Fenced`."""

    async def test_the_counter_is_one_higher_with_each_lease(self, bench: Bench) -> None:
        first = await bench.running()
        await bench.apply(Release(), fence=first.fence)
        second = await bench.delivery()
        assert (first.fence.counter, second.fence.counter) == (1, 2)

    async def test_the_nonce_is_that_of_the_call_that_leased(self, bench: Bench) -> None:
        await bench.put()
        assert (await bench.delivery(request_id="call-7")).fence.nonce == "call-7"

    async def test_counter_and_nonce_must_both_match(self, bench: Bench) -> None:
        fence = (await bench.running()).fence
        for wrong in (fence._replace(counter=2), fence._replace(counter=0), fence._replace(nonce="guess")):
            assert await bench.write(SUCCESS, fence=wrong) == FENCED
        assert await bench.state(fence.task_id) is TaskState.RUNNING

    async def test_a_fence_of_an_unknown_task_is_fenced(self, bench: Bench) -> None:
        assert await bench.write(SUCCESS, fence=Fence("nobody", 1, "n")) == FENCED

    async def test_the_clock_alone_never_fences(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(86_400)
        await bench.apply(SUCCESS, fence=delivery.fence)

    async def test_a_lease_that_was_replaced_is_fenced(self, bench: Bench) -> None:
        lost = await bench.running()
        rescued = await bench.lose(lost)
        before = await bench.record(lost.fence.task_id)
        for write in (*ENDS, START, Report(Progress(1, 1.0))):
            assert await bench.write(write, fence=lost.fence) == FENCED
        assert await bench.record(lost.fence.task_id) == before
        await bench.apply(SUCCESS, fence=rescued.fence)

    @pytest.mark.parametrize("end", ENDS, ids=label)
    async def test_the_same_fence_and_number_again_is_applied_and_changes_nothing(
        self, bench: Bench, end: Write
    ) -> None:
        fence = (await bench.running()).fence
        await bench.apply(end, fence=fence)
        before = await bench.record(fence.task_id)
        bench.clock.advance(1)
        await bench.apply(end, fence=fence)
        assert await bench.record(fence.task_id) == before

    @pytest.mark.parametrize("end", ENDS, ids=label)
    async def test_the_same_fence_with_another_number_is_fenced(self, bench: Bench, end: Write) -> None:
        fence = (await bench.running()).fence
        await bench.apply(end, fence=fence, number=1)
        before = await bench.record(fence.task_id)
        assert await bench.write(SUCCESS, fence=fence, number=2) == FENCED
        assert await bench.record(fence.task_id) == before

    async def test_a_change_sent_again_is_applied_although_another_worker_has_the_message_now(
        self, bench: Bench
    ) -> None:
        first = await bench.running()
        await bench.apply(Release(), fence=first.fence)
        second = await bench.delivery()
        await bench.apply(Release(), fence=first.fence)
        await bench.apply(SUCCESS, fence=second.fence)

    async def test_only_the_last_lease_that_was_consumed_is_remembered(self, bench: Bench) -> None:
        first = await bench.running()
        await bench.apply(Release(), fence=first.fence)
        second = await bench.delivery()
        await bench.apply(SUCCESS, fence=second.fence)
        assert await bench.write(Release(), fence=first.fence) == FENCED
        await bench.apply(SUCCESS, fence=second.fence)

    async def test_a_change_that_consumes_nothing_is_fenced_on_a_consumed_lease(self, bench: Bench) -> None:
        fence = (await bench.running()).fence
        await bench.apply(SUCCESS, fence=fence)
        assert await bench.write(START, fence=fence) == FENCED
        assert await bench.write(Report(Progress(1, 1.0)), fence=fence) == FENCED
        assert await bench.write(publish(), fence=fence) == FENCED
        assert len(await bench.everything()) == 1

    async def test_follow_ups_of_a_change_sent_twice_are_published_once(self, bench: Bench) -> None:
        fence, follow_up = (await bench.running()).fence, publish(queue="mail")
        await bench.apply(SUCCESS, follow_up, fence=fence)
        await bench.delivery(queues={"mail": 1})
        await bench.apply(SUCCESS, follow_up, fence=fence)
        assert len(await bench.everything()) == 2
        assert await bench.leased_ids(queues={"mail": 1}) == []

    async def test_a_change_that_is_twice_in_one_batch_is_applied_once(self, bench: Bench) -> None:
        change = Change((Reschedule(0, Failure("E", "m")),), (await bench.running()).fence)
        assert await bench.store.commit([change, change]) == [APPLIED, APPLIED]
        assert (await bench.delivery()).attempt == 1

    async def test_a_start_sent_twice_is_applied(self, bench: Bench) -> None:
        fence = (await bench.running()).fence
        await bench.apply(START, fence=fence)
        await bench.apply(START, fence=fence)

    async def test_a_follow_up_may_be_published_under_a_lease_that_goes_on(self, bench: Bench) -> None:
        fence, write = (await bench.running()).fence, publish()
        await bench.apply(write, Report(Progress(1, 0.5)), fence=fence)
        assert await bench.state(write.envelope.id) is TaskState.QUEUED
        assert await bench.state(fence.task_id) is TaskState.RUNNING
