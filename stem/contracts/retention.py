"""How long a record outlives its end: one rule for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stem.clock import Micros
from stem.tasks.state import TaskState

__all__ = ["KEEP_AT_LEAST", "KEEP_OPEN_GROUP", "Retention"]

KEEP_AT_LEAST: Final[Micros] = 60_000_000
"""Twice the time for which a change may be sent again: until then the record must answer for it."""
KEEP_OPEN_GROUP: Final[Micros] = 3_600_000_000
"""A group that nobody sealed in this time is removed, with its members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records are kept after their end, by the state they ended in, in microseconds.

    `None` is twice the task's `result_ttl`. `dead` is for what is in the dead letters, which wait for somebody to look
    at them; `failed` for failed tasks that were discarded from there, or never were in it.
    """

    succeeded: Micros | None = None
    failed: Micros | None = None
    cancelled: Micros | None = None
    expired: Micros | None = None
    dead: Micros = 30 * 86_400_000_000

    def keep_for(self, state: TaskState, result_ttl: Micros, *, dead: bool) -> Micros:
        """Microseconds from the end of a task until its record may be deleted; never less than `KEEP_AT_LEAST`."""
        times, least = self.terms(state, dead=dead)
        return max(times * result_ttl, least)

    def terms(self, state: TaskState, *, dead: bool) -> tuple[int, Micros]:
        """`keep_for` as two numbers for a statement: how many times the `result_ttl`, and the least."""
        chosen: Micros | None = getattr(self, state.value)
        times, least = (2, 0) if chosen is None else (0, chosen)
        return times, max(least, KEEP_AT_LEAST, self.dead if dead else 0)
