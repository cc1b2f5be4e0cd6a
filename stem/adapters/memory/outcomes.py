"""Outcomes, for another store that keeps the messages."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from stem.adapters.memory.base import Part
from stem.clock import Micros
from stem.contracts.outcomes import OLD_AGAIN, Outcome, fitting
from stem.contracts.retention import KEEP_AT_LEAST

__all__ = ["OutcomeTables"]


class OutcomeTables(Part):
    """See `Outcomes`."""

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """See `Outcomes.record_outcomes`."""
        with self._lock:
            return [self._record(outcome) for outcome in outcomes]

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """See `Outcomes.outcomes`."""
        with self._lock:
            found = ((task_id, self._tables.outcomes.get(task_id)) for task_id in ids)
            return {task_id: recorded[max(recorded)] for task_id, recorded in found if recorded}

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """See `Outcomes.old_outcomes`."""
        with self._lock:
            now = self._clock.now()
            old = dict.fromkeys(task_id for end, task_id, _ in sorted(self._tables.outcome_ends) if end <= now)
            return list(old)[:limit]

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """See `Outcomes.forget_outcomes`."""
        named, kept, later = set(ids), set(needed), list[tuple[Micros, str, int]]()
        with self._lock:
            now, ends = self._clock.now(), self._tables.outcome_ends
            while ends and ends[0][0] <= now:
                end, task_id, generation = heapq.heappop(ends)
                if task_id in kept:
                    later.append((now + OLD_AGAIN, task_id, generation))
                elif task_id in named:
                    self._delete(task_id, generation)
                else:
                    later.append((end, task_id, generation))
            for entry in later:
                heapq.heappush(ends, entry)

    def _delete(self, task_id: str, generation: int) -> None:
        recorded = self._tables.outcomes[task_id]
        del recorded[generation]
        if not recorded:
            del self._tables.outcomes[task_id]

    def _record(self, outcome: Outcome) -> Outcome:
        recorded = self._tables.outcomes.setdefault(outcome.task_id, {})
        if outcome.generation not in recorded:
            now = self._clock.now()
            taken = replace(fitting(outcome, self._capabilities.max_value), result_until=now + outcome.result_ttl)
            recorded[outcome.generation] = taken
            end = now + max(2 * outcome.result_ttl, KEEP_AT_LEAST)
            heapq.heappush(self._tables.outcome_ends, (end, outcome.task_id, outcome.generation))
        return recorded[outcome.generation]
