"""Pauses: a queue from which nothing is leased."""

from __future__ import annotations

from stem.contracts.changes import Reschedule
from stem.contracts.control import Pause
from stem.contracts.store import Store
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["PauseContract"]

BOTH = {"default": 1, "mail": 1}


class PauseContract(Contract):
    """The pauses of `Control`, and how `Store.lease` keeps to them."""

    async def test_from_a_paused_queue_nothing_is_leased(self, bench: Bench) -> None:
        await bench.put()
        await bench.store.pause("default")
        assert await bench.leased_ids(5) == []
        await bench.put()
        assert await bench.leased_ids(5) == []

    async def test_a_pause_is_kept_for_every_handle(self, bench: Bench, other: Store) -> None:
        await bench.put()
        await other.pause("default", reason="deploy")
        assert await bench.leased_ids(5) == []
        assert [pause.reason for pause in await bench.store.pauses()] == ["deploy"]

    async def test_other_queues_go_on(self, bench: Bench) -> None:
        await bench.put(queue="mail", priority=9)
        task_id = await bench.put()
        await bench.store.pause("mail")
        assert await bench.leased_ids(5, queues=BOTH) == [task_id]

    async def test_what_is_leased_goes_on(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.store.pause("default")
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert (await bench.state(delivery.fence.task_id)).is_terminal

    async def test_what_goes_back_to_a_paused_queue_waits_there(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.store.pause("default")
        await bench.apply(Reschedule(0, Failure("E", "m")), fence=delivery.fence)
        assert await bench.leased_ids(5) == []
        await bench.store.resume("default")
        assert await bench.leased_ids(5) == [delivery.fence.task_id]

    async def test_the_same_request_id_answers_what_was_leased_before_the_pause(self, bench: Bench) -> None:
        await bench.put()
        first = await bench.lease(1, request_id="call-1")
        await bench.store.pause("default")
        assert (await bench.lease(1, request_id="call-1")).deliveries == first.deliveries

    async def test_next_due_passes_over_paused_queues(self, bench: Bench) -> None:
        await bench.put(delay=seconds(2))
        await bench.put(queue="mail", delay=seconds(9))
        await bench.store.pause("default")
        assert (await bench.lease(1, queues=BOTH)).next_due == seconds(9)
        assert (await bench.lease(1)).next_due is None

    async def test_a_resumed_queue_is_leased_again_in_order(self, bench: Bench) -> None:
        await bench.store.pause("default")
        ids = [await bench.put() for _ in range(3)]
        assert await bench.store.resume("default")
        assert await bench.leased_ids(5) == ids

    async def test_resume_says_whether_the_queue_was_paused(self, bench: Bench) -> None:
        await bench.store.pause("default")
        assert await bench.store.resume("default")
        assert not await bench.store.resume("default")
        assert not await bench.store.resume("nothing")

    async def test_resume_wakes_who_waits_for_the_queue(self, bench: Bench) -> None:
        await bench.store.pause("mail")
        with Ear(bench.store) as ear:
            await bench.store.resume("mail")
            await ear.hears_of_queue("mail")

    async def test_resume_wakes_who_waits_at_another_handle(self, bench: Bench, other: Store) -> None:
        await bench.store.pause("mail")
        with Ear(other) as ear:
            await bench.store.resume("mail")
            await ear.hears_of_queue("mail")

    async def test_pauses_are_listed_by_name_with_time_and_reason(self, bench: Bench) -> None:
        start = bench.clock.now()
        await bench.store.pause("mail", reason="deploy")
        bench.clock.advance(1)
        await bench.store.pause("billing")
        assert await bench.store.pauses() == (
            Pause(queue="billing", since=start + seconds(1)),
            Pause(queue="mail", since=start, reason="deploy"),
        )

    async def test_a_queue_that_is_paused_keeps_its_first_time_and_gets_the_new_reason(self, bench: Bench) -> None:
        start = bench.clock.now()
        await bench.store.pause("mail", reason="deploy")
        bench.clock.advance(60)
        await bench.store.pause("mail", reason="incident")
        assert await bench.store.pauses() == (Pause(queue="mail", since=start, reason="incident"),)

    async def test_a_paused_queue_need_not_have_a_record(self, bench: Bench) -> None:
        await bench.store.pause("empty")
        assert tuple(await bench.store.queues()) == ()
        task_id = await bench.put(queue="empty")
        assert await bench.leased_ids(queues={"empty": 1}) == []
        await bench.store.resume("empty")
        assert await bench.leased_ids(queues={"empty": 1}) == [task_id]

    async def test_what_was_paused_is_still_counted_and_listed(self, bench: Bench) -> None:
        task_id = await bench.put()
        await bench.store.pause("default")
        (count,) = await bench.store.queues()
        assert (sum(count.counts.values()), count.oldest_due) == (1, bench.clock.now())
        assert set(await bench.everything()) == {task_id}
