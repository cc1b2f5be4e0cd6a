"""The hot statements go by an index, whatever waits: what the query plan says, not what a stopwatch says."""

from __future__ import annotations

import re
import sqlite3

import pytest

from stem.adapters.sqlite.connection import prepare_writer
from stem.adapters.sqlite.statements import statement

HOT = (
    "ready",
    "next_due",
    "claim",
    "bodies",
    "held",
    "start",
    "report",
    "consume",
    "fences",
    "renew",
    "renewed",
    "take",
    "lost",
    "one",
    "publish",
    "unique_holder",
    "retain",
    "parked_queues",
    "results",
    "delete_tasks",
    "end_waiting",
    "limits/named",
    "limits/standing",
    "limits/opening",
    "limits/touched",
    "limits/let_back",
    "limits/build",
    "limits/move_aside",
    "limits/open",
    "limits/demolish",
    "limits/use",
    "limits/occupy",
    "limits/hold",
    "limits/ending",
    "limits/vacate",
    "limits/reopen",
    "limits/forget_holdings",
    "limits/next",
    "limits/judge_again",
    "refusals/over",
    "refusals/judge",
    "refusals/reserve",
)


def plan(connection: sqlite3.Connection, name: str) -> list[str]:
    text = statement(name)
    parameters = dict.fromkeys(re.findall(r":([a-z_]+)", text))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]


@pytest.mark.parametrize("name", HOT)
def test_no_hot_statement_goes_through_all_tasks(plain: sqlite3.Connection, name: str) -> None:
    prepare_writer(plain)
    steps = plan(plain, name)
    tables = r"(stem_(?!limits|gates)\w+|t|e|u)\b"  # of these two: whether there is one at all
    indexed = re.compile(rf"SCAN {tables}(?! USING COVERING INDEX stem_(leased|ended))")
    assert [step for step in steps if indexed.match(step)] == []


@pytest.mark.parametrize("name", ["ready", "next_due"])
def test_a_claim_sorts_nothing(plain: sqlite3.Connection, name: str) -> None:
    assert [step for step in plan(plain, name) if "TEMP B-TREE" in step] == []


async def test_a_claim_looks_at_as_many_rows_before_a_large_backlog_as_before_a_small_one(
    plain: sqlite3.Connection,
) -> None:
    fill(plain, 1_000)
    small = steps_of_a_claim(plain)
    fill(plain, 50_000)
    assert steps_of_a_claim(plain) < 1.2 * small


async def test_messages_that_a_registry_refused_cost_its_claims_nothing(plain: sqlite3.Connection) -> None:
    fill(plain, 1_000)
    without = steps_of_a_claim(plain)
    plain.execute(
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO stem_tasks (id, name, queue, priority, state, published_at, due, result_ttl, ignore_result,
            max_retries, root, accepted_at, parked_for, parked_at, refused)
        SELECT 'p' || i, 'n', 'default', 9, 's', 0, 1000, 1, 0, 3, 'r', 0, '["f"]', 0, '[["f",1000]]' FROM n
        """
    )
    assert steps_of_a_claim(plain) < 1.2 * without


async def test_messages_that_stand_aside_cost_claims_nothing(plain: sqlite3.Connection) -> None:
    fill(plain, 1_000)
    without = steps_of_a_claim(plain)
    plain.execute(
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO stem_tasks (id, name, queue, priority, state, published_at, due, result_ttl, ignore_result,
            max_retries, root, accepted_at, aside, aside_due)
        SELECT 'p' || i, 'n', 'default', 9, 's', 0, 0, 1, 0, 3, 'r', 0, 1, 0 FROM n
        """
    )
    assert steps_of_a_claim(plain) < 1.2 * without


def fill(connection: sqlite3.Connection, waiting: int) -> None:
    """Only these messages; a third of them is not due yet, at the highest priority."""
    connection.execute("DELETE FROM stem_tasks")
    connection.execute(
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :waiting)
        INSERT INTO stem_tasks (id, name, queue, priority, state, published_at, due, result_ttl, ignore_result,
            max_retries, root, accepted_at)
        SELECT 't' || i, 'n', 'default', CASE i % 3 WHEN 0 THEN 9 ELSE i % 3 END, 's', 0,
            CASE i % 3 WHEN 0 THEN 1000 + i ELSE i / 1000 END, 1, 0, 3, 'r', 0 FROM n
        """,
        {"waiting": waiting},
    )


def steps_of_a_claim(connection: sqlite3.Connection) -> int:
    """How many times fifty instructions of the virtual machine find what may be claimed."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    parameters = {"queues": '["default"]', "now": 500, "limit": 100, "nonce": "n", "fingerprint": "f", "quoted": '"f"'}
    connection.execute(statement("ready"), parameters).fetchone()
    connection.set_progress_handler(count, 50)
    connection.execute(statement("ready"), parameters).fetchone()
    connection.set_progress_handler(None, 50)
    return counted
