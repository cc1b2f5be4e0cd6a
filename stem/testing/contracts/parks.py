"""Parking: a registry that cannot run a message is not offered it again for a while; any other is."""

from __future__ import annotations

from stem.contracts.changes import Park, Release
from stem.contracts.store import Delivery
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds

__all__ = ["ParkContract"]


async def _park(bench: Bench, delivery: Delivery, fingerprint: str = "registry-1", pause: float = 300) -> None:
    await bench.apply(Park("unknown task", fingerprint, seconds(pause)), fence=delivery.fence)


class ParkContract(Contract):
    """`Park`, and what a lease request with a fingerprint is given."""

    async def test_a_parked_task_says_why_and_no_attempt_is_used(self, bench: Bench) -> None:
        delivery = await bench.running()
        await _park(bench, delivery)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.parked_reason) == (TaskState.PARKED, "unknown task")
        assert (record.attempt, record.refused_by, record.lease_until) == (0, ("registry-1",), None)

    async def test_a_parked_message_is_passed_over_for_the_registry_that_refused_it(self, bench: Bench) -> None:
        await _park(bench, await bench.running())
        assert await bench.leased_ids() == []
        bench.clock.advance(299)
        assert await bench.leased_ids() == []

    async def test_a_parked_message_is_given_to_another_registry_at_once(self, bench: Bench) -> None:
        delivery = await bench.running()
        await _park(bench, delivery)
        again = await bench.delivery(fingerprint="registry-2")
        assert (again.fence.task_id, again.parks, again.attempt) == (delivery.fence.task_id, 1, 0)

    async def test_after_the_pause_a_parked_message_is_given_to_everybody(self, bench: Bench) -> None:
        delivery = await bench.running()
        await _park(bench, delivery)
        bench.clock.advance(300)
        assert await bench.leased_ids() == [delivery.fence.task_id]

    async def test_after_the_pause_a_parked_message_has_the_place_that_it_has_had_since_it_was_parked(
        self, bench: Bench
    ) -> None:
        parked, earlier = await bench.running(), await bench.put()
        bench.clock.advance(1)
        await _park(bench, parked)
        bench.clock.advance(1)
        later = await bench.put()
        bench.clock.advance(300)
        assert await bench.leased_ids(5) == [earlier, parked.fence.task_id, later]

    async def test_next_due_tells_the_refusing_registry_when_the_pause_ends(self, bench: Bench) -> None:
        await _park(bench, await bench.running())
        bench.clock.advance(100)
        assert (await bench.lease()).next_due == seconds(200)

    async def test_parks_are_counted(self, bench: Bench) -> None:
        delivery = await bench.running()
        for count in range(1, 4):
            await _park(bench, delivery)
            bench.clock.advance(300)
            delivery = await bench.delivery()
            assert delivery.parks == count

    async def test_each_registry_waits_for_its_own_pause(self, bench: Bench) -> None:
        await _park(bench, await bench.running(), "registry-1", pause=300)
        await _park(bench, await bench.delivery(fingerprint="registry-2"), "registry-2", pause=600)
        bench.clock.advance(300)
        assert await bench.leased_ids(fingerprint="registry-2") == []
        assert len(await bench.leased_ids(fingerprint="registry-1")) == 1

    async def test_a_message_released_by_another_is_still_passed_over_until_the_pause_ends(self, bench: Bench) -> None:
        await _park(bench, await bench.running())
        other = await bench.delivery(fingerprint="registry-2")
        await bench.apply(Release(), fence=other.fence)
        assert await bench.leased_ids(fingerprint="registry-1") == []
        bench.clock.advance(300)
        assert await bench.leased_ids(fingerprint="registry-1") == [other.fence.task_id]

    async def test_parked_messages_hold_up_nobody_behind_them(self, bench: Bench) -> None:
        for _ in range(150):
            await bench.put(priority=9)
        for delivery in (await bench.lease(150)).deliveries:
            await _park(bench, delivery)
        task_id = await bench.put(priority=0)
        assert await bench.leased_ids(1) == [task_id]

    async def test_at_most_16_fingerprints_are_kept_the_latest_of_all(self, bench: Bench) -> None:
        delivery = await bench.running()
        for number in range(20):
            await _park(bench, delivery, f"registry-{number}")
            delivery = await bench.delivery(fingerprint="somebody else")
        refused = (await bench.record(delivery.fence.task_id)).refused_by
        assert len(refused) == 16
        assert "registry-19" in refused
