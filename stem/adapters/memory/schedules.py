"""Schedules: their definitions, and the compare-and-set that moves them on."""

from __future__ import annotations

from dataclasses import replace

from stem.adapters.memory.base import Part
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.changes import FireSchedule
from stem.contracts.schedules import ScheduleRecord

__all__ = ["ScheduleTables", "fire"]


def fire(tables: Tables, write: FireSchedule) -> None:
    """Move the schedule on."""
    schedule = tables.schedules[write.schedule]
    tables.schedules[write.schedule] = replace(schedule, next_fire=write.next, last_fire=write.expected)


class ScheduleTables(Part):
    """See `Schedules`."""

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """See `Schedules.put_schedule`."""
        with self._lock:
            before = self._tables.schedules.get(schedule)
            version = 0 if before is None else before.version
            if expected not in (None, version):
                return None
            record = self._tables.schedules[schedule] = ScheduleRecord(
                id=schedule,
                spec=spec,
                enabled=enabled,
                next_fire=next_fire,
                last_fire=None if before is None else before.last_fire,
                version=version + 1,
            )
            return record

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """See `Schedules.delete_schedule`."""
        with self._lock:
            before = self._tables.schedules.get(schedule)
            if before is None or expected not in (None, before.version):
                return False
            del self._tables.schedules[schedule]
            return True

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """See `Schedules.schedule`."""
        with self._lock:
            return self._tables.schedules.get(schedule)

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """See `Schedules.schedules`."""
        with self._lock:
            behind = sorted(name for name in self._tables.schedules if name > after)
            return tuple(self._tables.schedules[name] for name in behind[:limit])

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """See `Schedules.due_schedules`."""
        with self._lock:
            now = self._clock.now()
            due = [
                (record.next_fire, record.id, record)
                for record in self._tables.schedules.values()
                if record.enabled and record.next_fire is not None and record.next_fire <= now
            ]
            return tuple(record for _, _, record in sorted(due, key=lambda row: row[:2])[:limit])
