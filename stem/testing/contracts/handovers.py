"""Requests that stand: what is published while a worker waits."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from stem.contracts.changes import APPLIED, Change
from stem.contracts.store import Delivery
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["HandoverContract"]


@asynccontextmanager
async def _standing(bench: Bench, name: str) -> AsyncGenerator[None]:
    """A worker listens, finds nothing due, and lets its request stand under this name."""
    with Ear(bench.store) as ear:
        await bench.finish_all()
        await bench.put(queue="elsewhere")
        await ear.hears_of_queue("elsewhere")
        assert await bench.leased_ids(5, stands_as=name) == []
        yield


async def _next(bench: Bench, name: str, limit: int = 5) -> list[Delivery]:
    """What the next call of that worker brings."""
    return list((await bench.lease(limit, request_id=name, stood=("default",))).deliveries)


class HandoverContract(Contract):
    """`LeaseRequest.stands_as` and `Handed`. An engine that hands nothing over keeps to it by leasing as ever."""

    async def test_what_was_handed_over_and_not_heard_of_is_found_by_the_next_call(self, bench: Bench) -> None:
        async with _standing(bench, "standing"):
            task_id = await bench.put()
            (delivery,) = await _next(bench, "standing")
        assert (delivery.fence.task_id, delivery.fence.nonce) == (task_id, "standing")
        assert await bench.store.commit([Change((SUCCESS,), delivery.fence)]) == [APPLIED]

    async def test_a_message_is_given_once_whoever_asks_first(self, bench: Bench) -> None:
        async with _standing(bench, "standing"):
            task_id = await bench.put()
            others = await bench.leased_ids(5, worker="worker-2")
            mine = [delivery.fence.task_id for delivery in await _next(bench, "standing")]
        assert [*others, *mine] == [task_id]

    async def test_nothing_is_handed_over_from_a_paused_queue(self, bench: Bench) -> None:
        async with _standing(bench, "standing"):
            await bench.store.pause("default")
            await bench.put()
            assert await _next(bench, "standing") == []

    async def test_what_became_due_before_is_given_before(self, bench: Bench) -> None:
        first = await bench.put(delay=seconds(1))
        async with _standing(bench, "standing"):
            bench.clock.advance(1)
            await bench.put()
            assert (await _next(bench, "standing", 1))[0].fence.task_id == first

    async def test_what_is_published_together_is_given_in_its_order(self, bench: Bench) -> None:
        low, high = publish(priority=1), publish(priority=8)
        async with _standing(bench, "standing"):
            await bench.store.commit([Change((low,)), Change((high,))])
            given = [delivery.fence.task_id for delivery in await _next(bench, "standing")]
        assert given == [high.envelope.id, low.envelope.id]

    @pytest.mark.parametrize("limit", [0, 5])
    async def test_a_request_stands_until_the_next_call(self, bench: Bench, limit: int) -> None:
        async with _standing(bench, "standing"):
            assert await _next(bench, "standing", limit) == []
            task_id = await bench.put()
            assert await bench.leased_ids(5, worker="worker-2") == [task_id]

    async def test_a_lease_that_was_handed_over_is_lost_and_rescued_as_any_other(self, bench: Bench) -> None:
        async with _standing(bench, "standing"):
            await bench.put()
            (delivery,) = await _next(bench, "standing")
            rescued = await bench.lose(delivery)
        assert (rescued.lost_by, rescued.fence.counter) == ("worker-1", 2)
