"""Leasing: which messages, in which order, how many, and each to one worker only."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from stem.contracts.changes import Park, Release, Write
from stem.contracts.store import LeaseRequest, Store
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, SUCCESS, Bench, label, seconds

__all__ = ["LeaseContract"]

MIB = 1024 * 1024


class LeaseContract(Contract):
    """`Store.lease`."""

    async def test_a_delivery_carries_what_the_store_knows(self, bench: Bench) -> None:
        task_id = await bench.put(name="billing.charge", max_retries=7, ignore_result=True, expires=seconds(60))
        published = bench.clock.now()
        bench.clock.advance(1)
        delivery = await bench.delivery(request_id="call-1", lease=seconds(30))
        assert (delivery.fence.task_id, delivery.name, delivery.queue) == (task_id, "billing.charge", "default")
        assert (delivery.attempt, delivery.max_retries, delivery.generation, delivery.deliveries) == (0, 7, 0, 1)
        assert (delivery.crashes, delivery.lost, delivery.parks) == (0, 0, 0)
        assert (delivery.lease, delivery.published_at) == (seconds(30), published)
        assert (delivery.expires_at, delivery.expired) == (published + seconds(60), False)
        assert (delivery.ignore_result, delivery.started, delivery.cancel_requested) == (True, False, False)
        assert (delivery.lost_by, delivery.backoff) == (None, None)

    async def test_a_leased_task_is_running_under_its_worker_until_its_lease_ends(self, bench: Bench) -> None:
        task_id = await bench.put()
        await bench.delivery(worker="worker-7", lease=seconds(30))
        record = await bench.record(task_id)
        assert (record.state, record.worker, record.fence) == (TaskState.RUNNING, "worker-7", 1)
        assert (record.lease_until, record.due_at) == (bench.clock.now() + seconds(30), None)

    async def test_lease_lengths_can_differ_by_task_name(self, bench: Bench) -> None:
        await bench.put(name="slow", priority=1)
        await bench.put(name="fast")
        answer = await bench.lease(2, lease=seconds(10), leases={"slow": seconds(90)})
        assert [delivery.lease for delivery in answer.deliveries] == [seconds(90), seconds(10)]

    async def test_within_a_queue_a_higher_priority_comes_first(self, bench: Bench) -> None:
        ids = {priority: await bench.put(priority=priority) for priority in (3, 0, 9, 5)}
        assert await bench.leased_ids(4) == [ids[9], ids[5], ids[3], ids[0]]

    async def test_a_priority_is_strict_however_long_the_others_have_waited(self, bench: Bench) -> None:
        low = await bench.put(priority=0)
        bench.clock.advance(3600)
        high = [await bench.put(priority=1) for _ in range(3)]
        assert await bench.leased_ids(3) == high
        assert await bench.leased_ids(3) == [low]

    async def test_within_a_priority_the_earlier_due_time_comes_first(self, bench: Bench) -> None:
        late, early, now = [await bench.put(delay=seconds(delay)) for delay in (5, 2, 0)]
        bench.clock.advance(10)
        assert await bench.leased_ids(3) == [now, early, late]

    async def test_of_messages_due_together_the_earlier_published_comes_first(self, bench: Bench) -> None:
        ids = [await bench.put() for _ in range(20)]
        assert await bench.leased_ids(20) == ids

    async def test_a_delayed_message_of_a_high_priority_holds_up_nobody(self, bench: Bench) -> None:
        await bench.put(priority=9, delay=seconds(60))
        task_id = await bench.put(priority=0)
        assert await bench.leased_ids(2) == [task_id]

    async def test_a_message_released_with_a_delay_takes_its_place_by_its_new_due_time(self, bench: Bench) -> None:
        first = await bench.running()
        bench.clock.advance(1)
        second = await bench.put()
        await bench.apply(Release(seconds(1)), fence=first.fence)
        bench.clock.advance(1)
        assert await bench.leased_ids(2) == [second, first.fence.task_id]

    async def test_a_message_released_without_a_delay_loses_no_place(self, bench: Bench) -> None:
        first = await bench.running()
        bench.clock.advance(1)
        second = await bench.put()
        await bench.apply(Release(), fence=first.fence)
        assert await bench.leased_ids(2) == [first.fence.task_id, second]

    async def test_only_messages_of_the_queues_asked_for_are_given(self, bench: Bench) -> None:
        await bench.put(queue="mail")
        task_id = await bench.put(queue="billing")
        assert await bench.leased_ids(5, queues={"billing": 1, "empty": 1}) == [task_id]

    async def test_at_most_the_limit_is_given(self, bench: Bench) -> None:
        for _ in range(5):
            await bench.put()
        assert len(await bench.leased_ids(3)) == 3
        assert len(await bench.leased_ids(3)) == 2
        assert await bench.leased_ids(3) == []

    async def test_over_several_queues_the_weights_hold_in_one_call(self, bench: Bench) -> None:
        for _ in range(40):
            await bench.put(queue="a")
            await bench.put(queue="b")
        answer = await bench.lease(40, queues={"a": 3, "b": 1})
        assert Counter(delivery.queue for delivery in answer.deliveries) == {"a": 30, "b": 10}

    async def test_over_several_queues_the_weights_hold_over_many_small_calls(self, bench: Bench) -> None:
        for _ in range(24):
            await bench.put(queue="a")
            await bench.put(queue="b")
        given = [(await bench.delivery(queues={"a": 2, "b": 1})).queue for _ in range(24)]
        assert Counter(given) == {"a": 16, "b": 8}
        assert given[:6].count("b") == 2

    async def test_what_one_queue_cannot_fill_any_other_fills(self, bench: Bench) -> None:
        await bench.put(queue="a")
        for _ in range(10):
            await bench.put(queue="b")
        answer = await bench.lease(10, queues={"a": 9, "b": 1})
        assert Counter(delivery.queue for delivery in answer.deliveries) == {"a": 1, "b": 9}

    async def test_at_most_8_mib_of_envelopes_are_given_in_one_call(self, bench: Bench) -> None:
        for _ in range(3):
            await bench.put(payload=b'"' + b"x" * (3 * MIB) + b'"')
        answer = await bench.lease(3)
        assert (len(answer.deliveries), answer.next_due) == (2, 0)
        assert len((await bench.lease(3)).deliveries) == 1

    async def test_a_message_above_8_mib_is_given_alone(self, bench: Bench) -> None:
        large = await bench.put(payload=b'"' + b"x" * (9 * MIB) + b'"')
        small = await bench.put()
        assert await bench.leased_ids(2) == [large]
        assert await bench.leased_ids(2) == [small]

    async def test_next_due_tells_when_the_next_message_of_these_queues_becomes_due(self, bench: Bench) -> None:
        await bench.put(delay=seconds(9), priority=9)
        await bench.put(delay=seconds(4))
        await bench.put(delay=seconds(2), queue="mail")
        bench.clock.advance(1)
        assert (await bench.lease()).next_due == seconds(3)
        assert (await bench.lease(queues={"default": 1, "mail": 1})).next_due == seconds(1)

    async def test_next_due_is_none_when_no_message_waits(self, bench: Bench) -> None:
        assert (await bench.lease()).next_due is None
        await bench.put(queue="mail", delay=seconds(5))
        await bench.running()
        assert (await bench.lease()).next_due is None

    async def test_next_due_is_set_only_when_fewer_than_asked_for_were_leased(self, bench: Bench) -> None:
        await bench.put()
        await bench.put(delay=seconds(5))
        assert (await bench.lease(1)).next_due is None
        await bench.put()
        assert (await bench.lease(2)).next_due == seconds(5)

    async def test_the_same_request_id_answers_the_same_deliveries_while_they_are_held(self, bench: Bench) -> None:
        for _ in range(4):
            await bench.put()
        first = await bench.lease(2, request_id="call-1")
        assert (await bench.lease(2, request_id="call-1")).deliveries == first.deliveries
        await bench.apply(SUCCESS, fence=first.deliveries[0].fence)
        again = await bench.lease(2, request_id="call-1")
        assert again.deliveries == first.deliveries[1:]
        assert len(await bench.leased_ids(4)) == 2

    async def test_the_first_so_many_are_marked_as_started(self, bench: Bench) -> None:
        for _ in range(3):
            await bench.put()
        answer = await bench.lease(3, started=2)
        assert [delivery.started for delivery in answer.deliveries] == [True, True, False]
        assert (await bench.record(answer.deliveries[0].fence.task_id)).started_at == bench.clock.now()
        assert (await bench.record(answer.deliveries[2].fence.task_id)).started_at is None

    async def test_a_message_whose_expiry_has_passed_is_given_and_says_so(self, bench: Bench) -> None:
        await bench.put(expires=seconds(5))
        bench.clock.advance(5)
        assert (await bench.delivery()).expired

    @pytest.mark.parametrize("started", [0, 1], ids=["by a start", "by the lease call"])
    async def test_what_began_in_time_and_came_back_is_not_expired(self, bench: Bench, started: int) -> None:
        await bench.put(expires=seconds(5))
        delivery = await bench.delivery(started=started)
        if not started:
            await bench.apply(START, fence=delivery.fence)
        await bench.apply(Release(), fence=delivery.fence)
        bench.clock.advance(5)
        assert not (await bench.delivery()).expired

    @pytest.mark.parametrize("back", [Release(), Park("unknown task", "registry-9", seconds(1))], ids=label)
    async def test_what_came_back_without_having_begun_expires(self, bench: Bench, back: Write) -> None:
        await bench.put(expires=seconds(5))
        delivery = await bench.delivery(started=int(isinstance(back, Park)))
        await bench.apply(back, fence=delivery.fence)
        assert (await bench.record(delivery.fence.task_id)).started_at is None
        bench.clock.advance(5)
        for _ in range(2):
            assert (await bench.delivery(request_id="same", started=1)).expired

    async def test_a_lease_that_has_run_out_is_not_leased_to_another_worker(self, bench: Bench) -> None:
        await bench.running()
        bench.clock.advance(3600)
        assert await bench.leased_ids(5) == []

    async def test_no_message_is_leased_twice_at_once(self, bench: Bench) -> None:
        ids = {await bench.put(priority=number % 3) for number in range(100)}
        given = await asyncio.gather(*(_lease_all(bench.store, f"worker-{n}") for n in range(6)))
        assert sorted(task_id for some in given for task_id in some) == sorted(ids)

    async def test_no_message_is_leased_twice_through_two_handles(self, bench: Bench, other: Store) -> None:
        ids = {await bench.put() for _ in range(100)}
        stores = (bench.store, other, bench.store, other)
        given = await asyncio.gather(*(_lease_all(store, f"worker-{n}") for n, store in enumerate(stores)))
        assert sorted(task_id for some in given for task_id in some) == sorted(ids)


async def _lease_all(store: Store, worker: str) -> list[str]:
    """Lease in small requests until nothing is left."""
    found: list[str] = []
    for number in range(1_000):
        nonce = f"{worker}-{number}"
        request = LeaseRequest(request_id=nonce, worker=worker, fingerprint="f", queues={"default": 1}, limit=7)
        answer = await store.lease(request)
        if not answer.deliveries:
            break
        found += [delivery.fence.task_id for delivery in answer.deliveries]
        await asyncio.sleep(0)
    return found
