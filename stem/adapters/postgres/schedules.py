"""Schedules: a row for each; what fires one locks its row."""

from __future__ import annotations

import asyncpg

from stem.adapters.postgres.part import Part
from stem.adapters.postgres.write import Writing
from stem.clock import Micros
from stem.contracts.changes import APPLIED, Change, FireSchedule, Verdict
from stem.contracts.schedules import ScheduleRecord, past_firing

__all__ = ["SchedulesPart", "find_past_firing", "fire_schedule"]


class SchedulesPart(Part):
    """`stem.contracts.schedules.Schedules`."""

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """Define or redefine a schedule; `None` when `expected` is not the version it has."""
        given = {"schedule": schedule, "spec": spec, "next_fire": next_fire, "enabled": enabled, "expected": expected}
        rows = await self._ask("schedules/put", **given)
        return _record(rows[0]) if rows else None

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """Forget a schedule, with `expected` only in that version; whether it was there and is gone."""
        return bool(await self._ask("schedules/delete", schedule=schedule, expected=expected))

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """The schedule with this id."""
        rows = await self._ask("schedules/find", schedule=schedule)
        return _record(rows[0]) if rows else None

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """Up to `limit` schedules by id, from the one behind `after` on."""
        return tuple(map(_record, await self._ask("schedules/list", after=after, most=limit)))

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """Up to `limit` enabled schedules whose next time has come, by the server's clock; the oldest first."""
        return tuple(map(_record, await self._ask("schedules/due", most=limit)))


async def find_past_firing(writing: Writing, change: Change) -> Verdict | None:
    """The verdict on a change whose schedule cannot fire as it says; else its schedule is locked until the commit."""
    for write in change.writes:
        if isinstance(write, FireSchedule):
            rows = await writing.fetch("schedules/lock", schedule=write.schedule)
            return past_firing(_record(rows[0]) if rows else None, write)
    return None


async def fire_schedule(writing: Writing, write: FireSchedule) -> Verdict:
    """Move a schedule on, which can fire."""
    await writing.fetch("schedules/fire", schedule=write.schedule, expected=write.expected, next_fire=write.next)
    return APPLIED


def _record(row: asyncpg.Record) -> ScheduleRecord:
    schedule, spec, enabled, next_fire, last_fire, version = row
    return ScheduleRecord(
        id=schedule, spec=spec, enabled=enabled, next_fire=next_fire, last_fire=last_fire, version=version
    )
