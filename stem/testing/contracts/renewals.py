"""Renewing: the keeper extends what is held and tells what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stem.contracts.changes import Cancel, Fence, Release
from stem.contracts.store import LeaseVerdict, Renewal
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, seconds

__all__ = ["KeeperContract"]


class KeeperContract(Contract):
    """`Store.keeper` and `Keeper.renew`."""

    async def test_renewing_extends_a_lease_from_the_present_time(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(3)
        assert await _renew(bench, Renewal(delivery.fence, seconds(20))) == [LeaseVerdict.KEPT]
        record = await bench.record(delivery.fence.task_id)
        assert record.lease_until == bench.clock.now() + seconds(20)

    async def test_renewing_makes_no_copy_of_the_message(self, bench: Bench) -> None:
        delivery = await bench.running()
        for _ in range(5):
            bench.clock.advance(3)
            await _renew(bench, Renewal(delivery.fence, seconds(10)))
        record = await bench.record(delivery.fence.task_id)
        assert (len(await bench.everything()), record.deliveries, record.fence) == (1, 1, 1)
        assert await bench.leased_ids(5) == []
        await bench.apply(SUCCESS, fence=delivery.fence)

    async def test_what_was_renewed_and_then_ended_is_not_delivered_again(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(9)
        await _renew(bench, Renewal(delivery.fence, seconds(10)))
        bench.clock.advance(9)
        assert await bench.store.suspects() != ()
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(3600)
        assert await bench.store.suspects() == ()
        assert await bench.leased_ids(5) == []

    async def test_there_is_one_verdict_per_renewal_in_order(self, bench: Bench) -> None:
        held, consumed = await bench.running(), await bench.running()
        await bench.apply(SUCCESS, fence=consumed.fence)
        unknown = Fence("nobody", 1, "n")
        fences = (consumed.fence, held.fence, unknown, held.fence)
        verdicts = await _renew(bench, *(Renewal(fence, seconds(10)) for fence in fences))
        assert verdicts == [LeaseVerdict.LOST, LeaseVerdict.KEPT, LeaseVerdict.LOST, LeaseVerdict.KEPT]

    async def test_nothing_to_renew_gives_no_verdicts(self, bench: Bench) -> None:
        assert await _renew(bench) == []

    async def test_a_lease_that_was_consumed_or_replaced_is_lost(self, bench: Bench) -> None:
        released, taken = await bench.running(), await bench.running()
        rescued = await bench.lose(taken)
        await bench.apply(Release(), fence=released.fence)
        before = await bench.everything()
        renewals = [Renewal(fence, seconds(99)) for fence in (released.fence, taken.fence)]
        assert await _renew(bench, *renewals) == [LeaseVerdict.LOST, LeaseVerdict.LOST]
        assert await bench.everything() == before
        assert await _renew(bench, Renewal(rescued.fence, seconds(10))) == [LeaseVerdict.KEPT]

    async def test_a_lease_that_ran_out_and_that_nobody_took_is_kept(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(3600)
        assert await _renew(bench, Renewal(delivery.fence, seconds(10))) == [LeaseVerdict.KEPT]
        assert await bench.store.suspects() == ()

    async def test_a_held_lease_whose_task_was_asked_to_end_is_kept_and_says_so(self, bench: Bench) -> None:
        asked, told = await bench.running(), await bench.running()
        await bench.apply(Cancel(asked.fence.task_id))
        await bench.apply(Cancel(told.fence.task_id, terminate=True))
        bench.clock.advance(3)
        verdicts = await _renew(bench, Renewal(asked.fence, seconds(10)), Renewal(told.fence, seconds(10)))
        assert verdicts == [LeaseVerdict.CANCEL, LeaseVerdict.TERMINATE]
        assert (await bench.record(asked.fence.task_id)).lease_until == bench.clock.now() + seconds(10)

    async def test_a_renewed_lease_is_no_suspect_for_a_third_of_its_new_length(self, bench: Bench) -> None:
        delivery = await bench.running()
        await _renew(bench, Renewal(delivery.fence, seconds(300)))
        bench.clock.advance(100)
        assert await bench.store.suspects() == ()
        bench.clock.advance(2)
        assert (await bench.suspect(delivery.fence)).lease == seconds(300)

    async def test_a_keeper_may_be_closed_twice(self, bench: Bench) -> None:
        delivery = await bench.running()
        keeper = bench.store.keeper()
        await asyncio.to_thread(keeper.renew, [Renewal(delivery.fence, seconds(10))])
        keeper.close()
        keeper.close()


async def _renew(bench: Bench, *renewals: Renewal) -> list[LeaseVerdict]:
    """Renew in another thread, as a worker does."""
    return await asyncio.to_thread(_renew_blocking, bench, renewals)


def _renew_blocking(bench: Bench, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
    keeper = bench.store.keeper()
    try:
        return keeper.renew(renewals)
    finally:
        keeper.close()
