"""Forgetting: late enough, and never what lives."""

from __future__ import annotations

import pytest

from stem.contracts.changes import APPLIED, Bury, Cancel, Park, Release, Replay, Reschedule, Write
from stem.contracts.retention import KEEP_AT_LEAST, Retention
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SECOND, SUCCESS, Bench, seconds

__all__ = ["RetentionContract"]

BACK: tuple[Write, ...] = (Release(), Reschedule(0, Failure("E", "m")), Park("unknown", "r", seconds(9)))
YEAR = 365 * 86_400
DEAD = Retention().dead / SECOND


class RetentionContract(Contract):
    """`Store.retain`."""

    async def test_an_ended_task_is_deleted_when_its_time_of_retention_is_over(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=seconds(100))
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(199)
        assert await bench.store.retain(10) == 0
        bench.clock.advance(2)
        assert await bench.store.retain(10) == 1
        assert await bench.everything() == {}

    @pytest.mark.parametrize("ignore", [False, True])
    async def test_none_is_deleted_within_60_s_of_its_end(self, bench: Bench, ignore: bool) -> None:
        delivery = await bench.running(result_ttl=0, ignore_result=ignore)
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(KEEP_AT_LEAST / SECOND - 1)
        assert await bench.store.retain(10) == 0
        assert await bench.write(SUCCESS, fence=delivery.fence) == APPLIED
        bench.clock.advance(2)
        assert await bench.store.retain(10) == 1

    async def test_a_dead_letter_is_kept_for_its_own_time(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=seconds(1))
        await bench.apply(Bury("crashed"), fence=delivery.fence)
        bench.clock.advance(DEAD - 1)
        assert await bench.store.retain(10) == 0
        bench.clock.advance(2)
        assert await bench.store.retain(10) == 1

    async def test_a_cancelled_task_is_deleted_too(self, bench: Bench) -> None:
        await bench.apply(Cancel(await bench.put(result_ttl=0)))
        bench.clock.advance(61)
        assert await bench.store.retain(10) == 1

    async def test_a_live_task_is_never_deleted(self, bench: Bench) -> None:
        for back in BACK:
            await bench.apply(back, fence=(await bench.running(result_ttl=0, queue=type(back).__name__)).fence)
        await bench.running(result_ttl=0, queue="held")
        await bench.put(result_ttl=0, delay=seconds(2 * YEAR))
        before = await bench.everything()
        bench.clock.advance(YEAR)
        assert await bench.store.retain(10) == 0
        assert await bench.everything() == before

    async def test_a_replayed_task_lives_again(self, bench: Bench) -> None:
        task_id = await bench.put(result_ttl=0)
        await bench.apply(Cancel(task_id))
        await bench.apply(Replay(task_id))
        bench.clock.advance(YEAR)
        assert await bench.store.retain(10) == 0
        assert await bench.leased_ids() == [task_id]

    async def test_at_most_the_limit_is_deleted_in_one_call(self, bench: Bench) -> None:
        for _ in range(5):
            await bench.apply(Cancel(await bench.put(result_ttl=0)))
        bench.clock.advance(61)
        assert [await bench.store.retain(2) for _ in range(4)] == [2, 2, 1, 0]

    async def test_a_deleted_id_is_unknown(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=0)
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(DEAD)
        await bench.store.retain(10)
        assert await bench.store.results([delivery.fence.task_id]) == {}
        assert await bench.put(id=delivery.fence.task_id) == delivery.fence.task_id
        assert await bench.leased_ids() == [delivery.fence.task_id]
