"""Schedules: a hash of entries, and when each is due."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from stem.adapters.redis.changes import cut
from stem.adapters.redis.part import Part
from stem.adapters.redis.rows import NEVER
from stem.adapters.redis.scripts import KEYS
from stem.clock import Micros
from stem.contracts.schedules import ScheduleRecord

__all__ = ["SchedulesPart"]

_MOST: Final = 1_000
_SCHEDULES: Final = KEYS.index("schedules")
_HEAD: Final = struct.Struct(">qqQB")
"""Next time, last time, version, whether it is enabled; then the spec."""


class SchedulesPart(Part):
    """`stem.contracts.schedules.Schedules`; `FireSchedule` is a write of the script of `commit`."""

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """Define or redefine a schedule; its last time stays."""
        due = "" if next_fire is None else cut(next_fire)
        entry = await self.server.run("schedules/put", schedule, spec, due, int(enabled), _version(expected))
        return None if entry is None else _record(schedule, entry)

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """Forget a schedule, with `expected` only in that version; whether it was there and is gone."""
        return bool(await self.server.run("schedules/delete", schedule, _version(expected)))

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """The schedule with this id."""
        entry: bytes | None = await self.server.command("HGET", self.server.keys[_SCHEDULES], schedule)
        return None if entry is None else _record(schedule, entry)

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """Up to `limit` schedules by id, from the one behind `after` on; at most 1,000."""
        return _records(await self.server.run("schedules/list", after, min(limit, _MOST)))

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """Up to `limit` enabled schedules whose next time has come, the oldest first; at most 1,000."""
        return _records(await self.server.run("schedules/due", min(limit, _MOST)))


def _version(expected: int | None) -> str:
    return "" if expected is None else str(expected)


def _records(values: Sequence[bytes]) -> tuple[ScheduleRecord, ...]:
    return tuple(_record(values[at].decode(), values[at + 1]) for at in range(0, len(values), 2))


def _record(schedule: str, entry: bytes) -> ScheduleRecord:
    following, last, version, enabled = _HEAD.unpack_from(entry)
    return ScheduleRecord(
        id=schedule,
        spec=entry[_HEAD.size :],
        enabled=bool(enabled),
        next_fire=_time(following),
        last_fire=_time(last),
        version=version,
    )


def _time(time: Micros) -> Micros | None:
    return None if time <= NEVER else time
