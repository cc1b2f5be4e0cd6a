"""Schedules: definitions under compare-and-set, and what is due."""

from __future__ import annotations

import asyncio

from stem.clock import Micros
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds

__all__ = ["ScheduleContract"]


async def _put(bench: Bench, name: str, after: float | None = 0, *, enabled: bool = True) -> ScheduleRecord:
    """A schedule that is due so many seconds from now."""
    at: Micros | None = None if after is None else bench.clock.now() + seconds(after)
    record = await bench.store.put_schedule(name, b"spec", next_fire=at, enabled=enabled)
    assert record is not None
    return record


async def _due(bench: Bench, limit: int = 10) -> list[str]:
    return [record.id for record in await bench.store.due_schedules(limit)]


class ScheduleContract(Contract):
    """`Schedules`."""

    async def test_a_new_schedule_is_kept_as_it_was_defined(self, bench: Bench) -> None:
        at = bench.clock.now() + seconds(60)
        record = await bench.store.put_schedule("nightly", b"\x00\xff spec", next_fire=at)
        assert record == ScheduleRecord(
            id="nightly", spec=b"\x00\xff spec", enabled=True, next_fire=at, last_fire=None, version=1
        )
        assert await bench.store.schedule("nightly") == record
        assert await bench.store.schedule("nothing") is None

    async def test_a_schedule_is_seen_through_every_handle(self, bench: Bench, other: Store) -> None:
        record = await _put(bench, "nightly")
        assert await other.schedule("nightly") == record

    async def test_a_schedule_that_is_defined_anew_has_the_next_version(self, bench: Bench) -> None:
        await _put(bench, "nightly")
        record = await bench.store.put_schedule("nightly", b"other", next_fire=None, enabled=False)
        assert record is not None
        assert (record.spec, record.enabled, record.next_fire, record.version) == (b"other", False, None, 2)
        assert await bench.store.schedule("nightly") == record

    async def test_with_expected_a_schedule_changes_only_in_that_version(self, bench: Bench) -> None:
        record = await _put(bench, "nightly")
        for expected in (0, 2):
            assert await bench.store.put_schedule("nightly", b"x", next_fire=None, expected=expected) is None
        assert await bench.store.schedule("nightly") == record
        changed = await bench.store.put_schedule("nightly", b"x", next_fire=None, expected=1)
        assert changed is not None
        assert changed.version == 2

    async def test_expected_zero_is_for_a_schedule_that_is_not_there(self, bench: Bench) -> None:
        assert await bench.store.put_schedule("nightly", b"x", next_fire=None, expected=1) is None
        assert await bench.store.schedule("nightly") is None
        record = await bench.store.put_schedule("nightly", b"x", next_fire=None, expected=0)
        assert record is not None
        assert record.version == 1

    async def test_of_many_writers_at_the_same_time_one_gets_the_version(self, bench: Bench) -> None:
        specs = [str(number).encode() for number in range(10)]
        put = bench.store.put_schedule
        answers = await asyncio.gather(*(put("nightly", spec, next_fire=None, expected=0) for spec in specs))
        (winner,) = [record for record in answers if record is not None]
        assert await bench.store.schedule("nightly") == winner

    async def test_a_deleted_schedule_is_gone_and_begins_anew(self, bench: Bench) -> None:
        await _put(bench, "nightly")
        assert await bench.store.delete_schedule("nightly")
        assert not await bench.store.delete_schedule("nightly")
        assert await bench.store.schedule("nightly") is None
        assert await _due(bench) == []
        record = await _put(bench, "nightly")
        assert (record.version, record.last_fire) == (1, None)

    async def test_with_expected_a_schedule_is_deleted_only_in_that_version(self, bench: Bench) -> None:
        await _put(bench, "nightly")
        assert not await bench.store.delete_schedule("nightly", expected=2)
        assert await bench.store.delete_schedule("nightly", expected=1)

    async def test_schedules_are_listed_by_id_in_pages(self, bench: Bench) -> None:
        for name in ("c", "a", "e", "b", "d"):
            await _put(bench, name, None, enabled=name != "a")
        first = await bench.store.schedules(limit=3)
        assert [record.id for record in first] == ["a", "b", "c"]
        second = await bench.store.schedules(limit=3, after="c")
        assert [record.id for record in second] == ["d", "e"]
        assert await bench.store.schedules(limit=3, after="e") == ()

    async def test_a_schedule_is_due_when_its_next_time_has_come_by_the_stores_clock(self, bench: Bench) -> None:
        await _put(bench, "nightly", 10)
        bench.clock.advance(9.9)
        assert await _due(bench) == []
        bench.clock.advance(0.1)
        assert await bench.store.due_schedules(5) == (await bench.store.schedule("nightly"),)

    async def test_the_oldest_due_time_comes_first(self, bench: Bench) -> None:
        for name, after in (("late", 9), ("early", 3), ("middle", 6)):
            await _put(bench, name, after)
        bench.clock.advance(60)
        assert await _due(bench) == ["early", "middle", "late"]
        assert await _due(bench, limit=2) == ["early", "middle"]

    async def test_what_is_disabled_or_never_due_is_not_due(self, bench: Bench) -> None:
        await _put(bench, "disabled", 0, enabled=False)
        await _put(bench, "never", None)
        await _put(bench, "enabled", 0)
        bench.clock.advance(60)
        assert await _due(bench) == ["enabled"]

    async def test_retain_forgets_no_schedule(self, bench: Bench) -> None:
        record = await _put(bench, "nightly", None)
        bench.clock.advance(10 * 365 * 86_400)
        await bench.store.retain(100)
        assert await bench.store.schedule("nightly") == record
