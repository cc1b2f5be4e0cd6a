"""Outcomes, for another store that keeps the messages."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace

from stem.adapters.memory.base import Part
from stem.contracts.outcomes import Outcome, fitting
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

    def _record(self, outcome: Outcome) -> Outcome:
        recorded = self._tables.outcomes.setdefault(outcome.task_id, {})
        if outcome.generation not in recorded:
            now = self._clock.now()
            taken = replace(fitting(outcome, self._capabilities.max_value), result_until=now + outcome.result_ttl)
            recorded[outcome.generation] = taken
            end = now + max(2 * outcome.result_ttl, KEEP_AT_LEAST)
            heapq.heappush(self._tables.outcome_ends, (end, outcome.task_id, outcome.generation))
        return recorded[outcome.generation]
