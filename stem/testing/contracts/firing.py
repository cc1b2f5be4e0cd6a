"""Firing: a schedule moves on in the change that publishes what it causes, once for each time."""

from __future__ import annotations

import asyncio

from stem.clock import Micros
from stem.contracts.changes import APPLIED, FENCED, Cancel, Change, FireSchedule, Publish, RefusalCode, UniqueKey, Write
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Store
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds

__all__ = ["FiringContract"]

HOUR = seconds(3600)


async def _hourly(bench: Bench, *, enabled: bool = True) -> Micros:
    """A schedule that is due now; the time."""
    now = bench.clock.now()
    await bench.store.put_schedule("hourly", b"spec", next_fire=now, enabled=enabled)
    return now


async def _schedule(bench: Bench) -> ScheduleRecord:
    found = await bench.store.schedule("hourly")
    assert found is not None
    return found


def _fire(at: Micros, *also: Write) -> tuple[Write, ...]:
    return (FireSchedule("hourly", at, at + HOUR), *also)


class FiringContract(Contract):
    """`FireSchedule`."""

    async def test_a_firing_moves_the_schedule_and_publishes_in_one_change(self, bench: Bench) -> None:
        at, write = await _hourly(bench), publish()
        await bench.apply(*_fire(at, write))
        record = await _schedule(bench)
        assert (record.last_fire, record.next_fire, record.version) == (at, at + HOUR, 1)
        assert await bench.leased_ids() == [write.envelope.id]
        assert await bench.store.due_schedules(5) == ()

    async def test_a_schedule_may_fire_for_the_last_time(self, bench: Bench) -> None:
        at = await _hourly(bench)
        await bench.apply(FireSchedule("hourly", at, None))
        bench.clock.advance(86_400)
        assert (await _schedule(bench)).next_fire is None
        assert await bench.store.due_schedules(5) == ()

    async def test_a_firing_with_another_time_is_fenced_and_nothing_is_written(self, bench: Bench) -> None:
        at = await _hourly(bench)
        assert await bench.write(*_fire(at - 1, publish())) == FENCED
        assert await bench.everything() == {}
        assert (await _schedule(bench)).next_fire == at

    async def test_a_disabled_schedule_fences_its_firing(self, bench: Bench) -> None:
        at = await _hourly(bench, enabled=False)
        assert await bench.write(*_fire(at, publish())) == FENCED
        assert await bench.everything() == {}
        assert (await _schedule(bench)).last_fire is None

    async def test_a_schedule_that_is_never_due_fences_its_firing(self, bench: Bench) -> None:
        at = await _hourly(bench)
        await bench.store.put_schedule("hourly", b"spec", next_fire=None)
        assert await bench.write(*_fire(at, publish())) == FENCED
        assert await bench.everything() == {}

    async def test_an_unknown_schedule_is_refused(self, bench: Bench) -> None:
        assert await bench.refused(*_fire(0, publish())) == RefusalCode.UNKNOWN_ID
        assert await bench.everything() == {}

    async def test_a_firing_sent_again_is_applied_once(self, bench: Bench) -> None:
        at, write = await _hourly(bench), publish()
        await bench.apply(*_fire(at, write))
        await bench.finish()
        before = await _schedule(bench)
        await bench.apply(*_fire(at, write))
        assert await _schedule(bench) == before
        assert list(await bench.everything()) == [write.envelope.id]
        assert await bench.state(write.envelope.id) is TaskState.SUCCEEDED

    async def test_a_firing_sent_again_is_applied_although_the_schedule_is_disabled_now(self, bench: Bench) -> None:
        at, write = await _hourly(bench), publish()
        await bench.apply(*_fire(at, write))
        await bench.store.put_schedule("hourly", b"spec", next_fire=None, enabled=False)
        await bench.apply(*_fire(at, write))
        assert len(await bench.everything()) == 1

    async def test_a_firing_of_the_time_before_the_last_is_fenced(self, bench: Bench) -> None:
        at = await _hourly(bench)
        await bench.apply(*_fire(at))
        await bench.apply(*_fire(at + HOUR))
        assert await bench.write(*_fire(at)) == FENCED
        await bench.apply(*_fire(at + HOUR))

    async def test_a_new_definition_keeps_the_last_time(self, bench: Bench) -> None:
        at = await _hourly(bench)
        await bench.apply(*_fire(at))
        record = await bench.store.put_schedule("hourly", b"other", next_fire=at + 1)
        assert record is not None
        assert (record.last_fire, record.next_fire, record.version) == (at, at + 1, 2)

    async def test_a_firing_whose_other_write_is_refused_moves_nothing(self, bench: Bench) -> None:
        at = await _hourly(bench)
        assert await bench.refused(*_fire(at, publish(), Cancel("nobody"))) == RefusalCode.UNKNOWN_ID
        assert (await _schedule(bench)).next_fire == at
        assert await bench.everything() == {}

    async def test_a_fired_task_whose_key_is_taken_is_cancelled_and_the_schedule_moves_on(self, bench: Bench) -> None:
        at, holder, key = await _hourly(bench), publish(unique=UniqueKey("k")), UniqueKey("k")
        await bench.apply(holder)
        double = publish(unique=key)
        await bench.apply(*_fire(at, double))
        assert await bench.state(double.envelope.id) is TaskState.CANCELLED
        assert (await _schedule(bench)).last_fire == at

    async def test_a_fenced_firing_harms_no_neighbour_in_its_batch(self, bench: Bench) -> None:
        at, fired, stale, other = await _hourly(bench), publish(), publish(), publish()
        changes = [Change(_fire(at, fired)), Change(_fire(at - 1, stale)), Change((other,))]
        assert await bench.store.commit(changes) == [APPLIED, FENCED, APPLIED]
        assert set(await bench.everything()) == {fired.envelope.id, other.envelope.id}

    async def test_two_firings_of_one_time_in_one_batch_publish_once(self, bench: Bench) -> None:
        at, first, second = await _hourly(bench), publish(), publish()
        assert await bench.store.commit([Change(_fire(at, w)) for w in (first, second)]) == [APPLIED, APPLIED]
        assert list(await bench.everything()) == [first.envelope.id]

    async def test_several_times_of_a_schedule_may_be_caught_up_with_in_one_batch(self, bench: Bench) -> None:
        at, writes = await _hourly(bench), [publish() for _ in range(3)]
        changes = [Change(_fire(at + number * HOUR, write)) for number, write in enumerate(writes)]
        assert await bench.store.commit(changes) == [APPLIED] * 3
        assert len(await bench.everything()) == 3
        assert (await _schedule(bench)).last_fire == at + 2 * HOUR

    async def test_of_many_firings_at_the_same_time_exactly_one_publishes(self, bench: Bench) -> None:
        at = await _hourly(bench)
        await asyncio.gather(*(bench.write(*_fire(at, publish())) for _ in range(20)))
        assert len(await bench.everything()) == 1

    async def test_of_firings_through_two_handles_exactly_one_publishes(self, bench: Bench, other: Store) -> None:
        at = await _hourly(bench)
        stores = (bench.store, other) * 5
        await asyncio.gather(*(store.commit([Change(_fire(at, publish()))]) for store in stores))
        assert len(await bench.everything()) == 1

    async def test_a_firing_may_stand_in_a_fenced_change(self, bench: Bench) -> None:
        at, delivery, write = await _hourly(bench), await bench.running(), publish()
        await bench.apply(SUCCESS, *_fire(at, write), fence=delivery.fence)
        assert await bench.leased_ids() == [write.envelope.id]
        assert (await _schedule(bench)).last_fire == at

    async def test_a_change_fires_at_most_one_schedule(self, bench: Bench) -> None:
        at = await _hourly(bench)
        one, two = FireSchedule("hourly", at, None), FireSchedule("hourly", at, at + HOUR)
        assert await bench.refused(one, two) == RefusalCode.REJECTED
        assert (await _schedule(bench)).next_fire == at

    async def test_a_firing_tells_of_the_queue_that_it_fills(self, bench: Bench) -> None:
        at = await _hourly(bench)
        write: Publish = publish(queue="mail")
        await bench.apply(*_fire(at, write))
        assert await bench.leased_ids(queues={"mail": 1}) == [write.envelope.id]
