"""Outcomes that another store's worker records: the first row for a task and generation stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from stem.adapters.postgres.part import Part
from stem.adapters.postgres.rows import Row, columns, dump_failure, load_failure
from stem.contracts.outcomes import OLD_AGAIN, Outcome, fitting
from stem.contracts.retention import KEEP_AT_LEAST
from stem.tasks.state import TaskState

__all__ = ["OutcomesPart"]

_GIVEN = ("task_id", "generation", "state", "result", "error", "bury_reason", "result_ttl", "by", "follow_ups")


class OutcomesPart(Part):
    """`stem.contracts.outcomes.Outcomes`."""

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Record each for whose task and generation none is recorded; for each, in order, the one that stands."""
        if not outcomes:
            return []
        rows = [_row(fitting(outcome, self._largest)) for outcome in outcomes]
        given = columns(_GIVEN, sorted(rows, key=lambda row: row[:2]))  # keys are locked in one order
        await self._ask("outcomes/record", **given, least=KEEP_AT_LEAST)
        names = {name: given[name] for name in ("task_id", "generation")}
        standing = map(_outcome, await self._ask("outcomes/standing", **names))
        found = {(outcome.task_id, outcome.generation): outcome for outcome in standing}
        return [found[outcome.task_id, outcome.generation] for outcome in outcomes]

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """The outcome of the latest generation of those ids that have one."""
        rows = await self._ask("outcomes/latest", ids=list(dict.fromkeys(ids)))
        return {outcome.task_id: outcome for outcome in map(_outcome, rows)}

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """Up to `limit` tasks of which an outcome has been kept long enough."""
        return list(dict.fromkeys(row[0] for row in await self._ask("outcomes/old", most=limit)))

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """Delete the old outcomes of these tasks that are not needed."""
        await self._ask("outcomes/forget", ids=list(ids), needed=list(needed), again=OLD_AGAIN)


def _row(outcome: Outcome) -> Row:
    error = None if outcome.error is None else dump_failure(outcome.error)
    return (
        *(outcome.task_id, outcome.generation, outcome.state.value, outcome.result, error),
        *(outcome.bury_reason, outcome.result_ttl, outcome.by, outcome.follow_ups),
    )


def _outcome(row: asyncpg.Record) -> Outcome:
    task_id, generation, state, result, error, bury_reason, result_ttl, by, follow_ups, result_until = row
    return Outcome(
        task_id=task_id,
        generation=generation,
        state=TaskState(state),
        result=result,
        error=load_failure(error),
        bury_reason=bury_reason,
        result_ttl=result_ttl,
        by=by,
        follow_ups=follow_ups,
        result_until=result_until,
    )
