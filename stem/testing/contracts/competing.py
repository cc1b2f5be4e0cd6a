"""Many workers at once: each message to one of them, no queue starves, priorities hold."""

from __future__ import annotations

import asyncio
from collections import Counter

from stem.contracts.changes import Change
from stem.contracts.store import Delivery, LeaseRequest, Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish

__all__ = ["CompetingContract"]

QUEUES = ("a", "b", "c")
WORKERS = 100


async def _ask(store: Store, number: int, limit: int) -> tuple[Delivery, ...]:
    request = LeaseRequest(
        request_id=f"call-{number}",
        worker=f"worker-{number}",
        fingerprint="registry-1",
        queues=dict.fromkeys(QUEUES, 1),
        limit=limit,
    )
    return (await store.lease(request)).deliveries


async def _fill(bench: Bench, each: int) -> dict[str, int]:
    """So many messages in each queue, of all priorities; their priorities by id."""
    writes = [publish(queue=queue, priority=number % 10) for number in range(each) for queue in QUEUES]
    await bench.store.commit([Change((write,)) for write in writes])
    return {write.envelope.id: write.envelope.priority for write in writes}


async def _lease_half(bench: Bench, stores: tuple[Store, ...]) -> None:
    """100 workers ask at once for half of what there is."""
    priorities = await _fill(bench, 200)
    asked = (_ask(stores[number % len(stores)], number, 3) for number in range(WORKERS))
    given = [delivery for answer in await asyncio.gather(*asked) for delivery in answer]
    ids = [delivery.fence.task_id for delivery in given]
    assert len(ids) == len(set(ids)) == 3 * WORKERS
    assert set(Counter(delivery.queue for delivery in given)) == set(QUEUES)
    await _assert_strict(bench, priorities, set(ids))


async def _assert_strict(bench: Bench, priorities: dict[str, int], leased: set[str]) -> None:
    """Within a queue nothing waits that has a higher priority than what is leased."""
    records = await bench.everything()
    for queue in QUEUES:
        mine = [task_id for task_id, record in records.items() if record.queue == queue]
        lowest = min(priorities[task_id] for task_id in mine if task_id in leased)
        waiting = [priorities[task_id] for task_id in mine if task_id not in leased]
        assert max(waiting, default=0) <= lowest


class CompetingContract(Contract):
    """`Store.lease`, under many workers."""

    async def test_what_100_workers_lease_at_once_is_leased_once_from_every_queue_in_order_of_priority(
        self, bench: Bench
    ) -> None:
        await _lease_half(bench, (bench.store,))

    async def test_what_100_workers_lease_through_two_handles_is_leased_once(self, bench: Bench, other: Store) -> None:
        await _lease_half(bench, (bench.store, other))

    async def test_each_message_is_delivered_to_exactly_one_of_the_competing_workers(self, bench: Bench) -> None:
        expected = set(await _fill(bench, 100))
        done: list[str] = []
        await asyncio.gather(*(_work(bench.store, number, done) for number in range(20)))
        assert sorted(done) == sorted(expected)
        assert {record.deliveries for record in (await bench.everything()).values()} == {1}

    async def test_a_worker_of_one_queue_is_not_held_up_by_another_full_one(self, bench: Bench) -> None:
        await bench.store.commit([Change((publish(queue="full", priority=9),)) for _ in range(300)])
        task_id = await bench.put(queue="quiet")
        assert await bench.leased_ids(1, queues={"quiet": 1}) == [task_id]

    async def test_a_queue_of_little_weight_is_served_although_others_are_full(self, bench: Bench) -> None:
        await bench.store.commit([Change((publish(queue="full", priority=9),)) for _ in range(100)])
        task_id = await bench.put(queue="quiet", priority=0)
        served = [await bench.leased_ids(1, queues={"full": 9, "quiet": 1}) for _ in range(10)]
        assert [task_id] in served


async def _work(store: Store, number: int, done: list[str]) -> None:
    """Lease and end, until nothing is left."""
    call = 0
    while deliveries := await _ask(store, number * 1_000 + call, 3):
        call += 1
        await store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
        done += [delivery.fence.task_id for delivery in deliveries]
