"""Crashes: whose lease is suspect, who may take it over, and how the loss is counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from stem.contracts.changes import FENCED, Cancel, Fence, Release, Start
from stem.contracts.store import Delivery, Renewal, Store, Suspect, TakeRequest
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import BACKOFF, START, SUCCESS, Bench, seconds

__all__ = ["CrashContract"]


class CrashContract(Contract):
    """`Store.suspects`, `Store.take` and `count_loss`."""

    async def test_a_lease_is_suspect_when_not_renewed_for_a_third_of_its_length_and_one_second(
        self, bench: Bench
    ) -> None:
        await bench.put()
        delivery = await bench.delivery(lease=seconds(30))
        bench.clock.advance(10.9)
        assert await bench.store.suspects() == ()
        bench.clock.advance(0.2)
        until = bench.clock.now() + seconds(18.9)
        assert await bench.store.suspects() == (Suspect(delivery.fence, until, seconds(30), expired=False),)

    async def test_a_suspect_is_expired_when_its_time_is_over_by_the_stores_clock(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(9)
        assert not (await bench.suspect(delivery.fence)).expired
        bench.clock.advance(1)
        assert (await bench.suspect(delivery.fence)).expired

    async def test_a_lease_that_ends_later_than_it_can_is_suspect(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.step(-600)
        assert not (await bench.suspect(delivery.fence)).expired

    async def test_what_waits_or_has_ended_is_not_suspect(self, bench: Bench) -> None:
        done = await bench.running()
        await bench.apply(SUCCESS, fence=done.fence)
        back = await bench.running()
        await bench.apply(Release(), fence=back.fence)
        bench.clock.advance(3600)
        assert await bench.store.suspects() == ()

    async def test_a_lost_delivery_is_taken_over_under_a_new_fence(self, bench: Bench) -> None:
        lost = await bench.running()
        rescued = await bench.lose(lost, worker="worker-9")
        assert rescued.fence.counter == lost.fence.counter + 1
        assert rescued.fence.nonce != lost.fence.nonce
        assert (rescued.body, rescued.lost_by) == (lost.body, "worker-1")
        assert rescued.deliveries == 2
        record = await bench.record(lost.fence.task_id)
        assert (record.state, record.worker, record.fence) == (TaskState.RUNNING, "worker-9", rescued.fence.counter)
        assert record.lease_until == bench.clock.now() + rescued.lease
        await bench.apply(SUCCESS, fence=rescued.fence)

    async def test_one_whose_fence_has_changed_is_left_out(self, bench: Bench) -> None:
        lost = await bench.running()
        bench.clock.advance(11)
        suspect = await bench.suspect(lost.fence)
        await bench.take(suspect)
        assert await bench.take(suspect) == []

    async def test_one_whose_expiry_has_changed_is_left_out(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(11)
        suspect = await bench.suspect(delivery.fence)
        keeper = bench.store.keeper()
        await asyncio.to_thread(keeper.renew, [Renewal(delivery.fence, seconds(10))])
        keeper.close()
        assert await bench.take(suspect) == []
        await bench.apply(SUCCESS, fence=delivery.fence)

    async def test_one_whose_lease_was_consumed_is_left_out(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(11)
        suspect = await bench.suspect(delivery.fence)
        await bench.apply(Release(), fence=delivery.fence)
        assert await bench.take(suspect, replace(suspect, fence=Fence("nobody", 1, "n"))) == []
        assert await bench.take() == []

    async def test_of_several_only_the_lost_ones_are_taken(self, bench: Bench) -> None:
        alive, dead = await bench.running(), await bench.running()
        bench.clock.advance(11)
        suspects = [await bench.suspect(alive.fence), await bench.suspect(dead.fence)]
        await bench.apply(SUCCESS, fence=alive.fence)
        assert [delivery.fence.task_id for delivery in await bench.take(*suspects)] == [dead.fence.task_id]

    async def test_the_same_request_id_answers_the_same_rescued_deliveries(self, bench: Bench) -> None:
        lost = await bench.running()
        await bench.apply(START, fence=lost.fence)
        bench.clock.advance(11)
        suspect = await bench.suspect(lost.fence)
        first = await bench.take(suspect, request_id="sweep-1")
        assert await bench.take(suspect, request_id="sweep-1") == first
        assert (await bench.record(lost.fence.task_id)).crashes == 1

    async def test_of_two_sweepers_one_gets_it(self, bench: Bench) -> None:
        lost = await bench.running()
        bench.clock.advance(11)
        suspect = await bench.suspect(lost.fence)
        takes = await asyncio.gather(*(bench.take(suspect, worker=f"worker-{n}") for n in range(5)))
        assert sum(map(len, takes)) == 1

    async def test_another_handle_can_take_over(self, bench: Bench, other: Store) -> None:
        lost = await bench.running()
        bench.clock.advance(11)
        (suspect,) = await other.suspects()
        request = TakeRequest(request_id="sweep-1", worker="worker-2", suspects=(suspect,))
        assert len(await other.take(request)) == 1
        assert await bench.write(SUCCESS, fence=lost.fence) == FENCED

    async def test_a_rescued_delivery_is_leased_for_as_long_as_its_taker_asks(self, bench: Bench) -> None:
        lost = await bench.running()
        bench.clock.advance(11)
        suspect = await bench.suspect(lost.fence)
        request = TakeRequest(request_id="sweep-1", worker="worker-2", suspects=(suspect,), lease=seconds(45))
        (rescued,) = await bench.store.take(request)
        assert rescued.lease == seconds(45)
        assert (await bench.record(lost.fence.task_id)).lease_until == bench.clock.now() + seconds(45)

    async def test_a_loss_after_the_start_counts_as_a_crash_and_uses_an_attempt(self, bench: Bench) -> None:
        lost = await bench.running()
        await bench.apply(START, fence=lost.fence)
        rescued = await bench.lose(lost)
        assert (rescued.started, rescued.crashes, rescued.lost, rescued.attempt) == (True, 1, 0, 1)
        record = await bench.record(lost.fence.task_id)
        assert (record.crashes, record.lost, record.attempt) == (1, 0, 1)

    async def test_a_loss_of_what_the_lease_marked_as_started_is_a_crash(self, bench: Bench) -> None:
        await bench.put()
        rescued = await bench.lose(await bench.delivery(started=1))
        assert (rescued.started, rescued.crashes, rescued.backoff) == (True, 1, None)

    async def test_a_loss_before_the_start_counts_as_lost(self, bench: Bench) -> None:
        rescued = await bench.lose(await bench.running())
        assert (rescued.started, rescued.crashes, rescued.lost, rescued.attempt) == (False, 0, 1, 0)

    async def test_from_the_fifth_on_a_loss_before_the_start_counts_as_a_crash_too(self, bench: Bench) -> None:
        delivery = await bench.running()
        counted: list[tuple[int, int, int]] = []
        for _ in range(6):
            delivery = await bench.lose(delivery)
            counted.append((delivery.crashes, delivery.lost, delivery.attempt))
        assert counted == [(0, 1, 0), (0, 2, 0), (0, 3, 0), (0, 4, 0), (1, 5, 1), (2, 6, 2)]

    async def test_a_rescued_delivery_has_not_started_until_it_starts_again(self, bench: Bench) -> None:
        lost = await bench.running()
        await bench.apply(START, fence=lost.fence)
        again = await bench.lose(await bench.lose(lost))
        assert (again.started, again.crashes, again.lost) == (False, 1, 1)

    async def test_a_rescued_delivery_carries_what_the_start_recorded(self, bench: Bench) -> None:
        lost = await bench.running()
        await bench.apply(Start(BACKOFF, "early"), fence=lost.fence)
        rescued = await bench.lose(lost)
        assert (rescued.backoff, rescued.ack) == (BACKOFF, "early")

    async def test_a_rescued_delivery_tells_of_a_cancel(self, bench: Bench) -> None:
        lost = await bench.running()
        await bench.apply(Cancel(lost.fence.task_id), fence=None)
        assert (await bench.lose(lost)).cancel_requested

    async def test_a_rescued_message_that_is_released_is_leased_like_any_other(self, bench: Bench) -> None:
        rescued: Delivery = await bench.lose(await bench.running())
        await bench.apply(Release(), fence=rescued.fence)
        again = await bench.delivery()
        assert (again.lost_by, again.lost, again.fence.counter) == (None, 1, 3)
