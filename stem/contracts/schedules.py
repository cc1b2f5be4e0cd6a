"""Schedules as the store sees them: an opaque text, and when it is due. `FireSchedule` moves them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stem.clock import Micros
from stem.contracts.changes import APPLIED, FENCED, FireSchedule, RefusalCode, Refused, Verdict

__all__ = ["ScheduleRecord", "Schedules", "past_firing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """One schedule. `spec` is its owner's, byte for byte. Times are microseconds by the store's clock."""

    id: str
    spec: bytes
    enabled: bool
    next_fire: Micros | None
    """When it is due; `None` for never."""
    last_fire: Micros | None
    """The time for which it last fired."""
    version: int
    """1 for a new one; one higher with each `put_schedule`. Firing leaves it."""


class Schedules(Protocol):
    """Definitions of schedules, under compare-and-set."""

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """Define or redefine a schedule; its last time stays.

        With `expected`, only when that is the version it has, 0 for one that is not there; else `None`, and nothing
        is changed.
        """
        ...

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """Forget a schedule, with `expected` only in that version; whether it was there and is gone."""
        ...

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """The schedule with this id."""
        ...

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """Up to `limit` schedules by id, from the one behind `after` on."""
        ...

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """Up to `limit` enabled schedules whose next time has come, by the store's clock; the oldest first."""
        ...


def past_firing(found: ScheduleRecord | None, write: FireSchedule) -> Verdict | None:
    """The verdict on a firing that cannot be, or was before; `None` for one that can. One rule for every engine."""
    if found is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no schedule {write.schedule}")
    if found.enabled and found.next_fire == write.expected:
        return None
    return APPLIED if found.last_fire == write.expected else FENCED
