"""Outcomes that are kept for another store. The first one of a generation stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from stem.adapters.sqlite.apply import Terms
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import cut, dump, dump_failure, load_failure
from stem.adapters.sqlite.statements import execute
from stem.clock import Micros
from stem.contracts.outcomes import OLD_AGAIN, Outcome, fitting
from stem.contracts.retention import Retention
from stem.tasks.state import TaskState

__all__ = ["find_outcomes", "forget_outcomes", "list_old", "record_outcomes"]


def record_outcomes(connection: sqlite3.Connection, outcomes: Sequence[Outcome], terms: Terms) -> list[Outcome]:
    """Record those that are the first, in one transaction; for each the one that stands."""
    with transaction(connection):
        now = terms.clock.now()
        return [_record(connection, fitting(outcome, terms.largest), now, terms.retention) for outcome in outcomes]


def _record(connection: sqlite3.Connection, outcome: Outcome, now: Micros, retention: Retention) -> Outcome:
    kept = retention.keep_for(outcome.state, outcome.result_ttl, dead=outcome.bury_reason is not None)
    execute(
        connection,
        "outcomes/record",
        task=outcome.task_id,
        generation=outcome.generation,
        state=outcome.state.value,
        result=outcome.result,
        error=None if outcome.error is None else dump_failure(outcome.error),
        bury_reason=outcome.bury_reason,
        result_ttl=cut(outcome.result_ttl),
        recorded_by=outcome.by,
        follow_ups=outcome.follow_ups,
        result_until=cut(now + outcome.result_ttl),
        keep_until=cut(now + kept),
    )
    row = execute(connection, "outcomes/one", task=outcome.task_id, generation=outcome.generation).fetchone()
    return _outcome(row)


def find_outcomes(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Outcome]:
    """The latest outcomes of these ids."""
    rows = execute(connection, "outcomes/latest", ids=dump(list(dict.fromkeys(ids)))).fetchall()
    return {row[0]: _outcome(row) for row in rows}


def list_old(connection: sqlite3.Connection, limit: int, now: Micros) -> list[str]:
    """Tasks of which an outcome has been kept long enough."""
    return [task for (task,) in execute(connection, "outcomes/old", now=now, limit=limit)]


def forget_outcomes(connection: sqlite3.Connection, ids: Sequence[str], needed: Collection[str], terms: Terms) -> None:
    """Delete what is old, except what is needed, in one transaction."""
    with transaction(connection):
        now = terms.clock.now()
        execute(connection, "outcomes/keep", ids=dump(list(needed)), now=now, until=cut(now + OLD_AGAIN))
        execute(connection, "outcomes/forget", ids=dump(list(ids)), now=now)


def _outcome(row: tuple[Any, ...]) -> Outcome:
    task, generation, state, result, error, bury_reason, result_ttl, by, follow_ups, result_until = row
    return Outcome(
        task_id=task,
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
