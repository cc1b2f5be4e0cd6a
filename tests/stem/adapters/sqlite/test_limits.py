"""What limits cost where there are none, what they leave behind, and how a caller's transaction carries their keys."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest

from stem.adapters.sqlite.store import SqliteStore
from stem.contracts.changes import Cancel, Change
from stem.contracts.limits import MOST_MOVED
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.allowances import allow, limited, occupy, publish_many
from stem.testing.contracts.build import SUCCESS

TABLES = ("stem_limits", "stem_allowances", "stem_holdings", "stem_gates")


def sqlite_of(bench: Bench) -> SqliteStore:
    return cast("SqliteStore", bench.store)


@asynccontextmanager
async def listening(bench: Bench, heard: list[str]) -> AsyncGenerator[None]:
    """Every statement of the connection that writes."""
    await sqlite_of(bench).in_writer(lambda c: c.set_trace_callback(heard.append))
    yield
    await sqlite_of(bench).in_writer(lambda c: c.set_trace_callback(None))


def about_limits(statements: Sequence[str]) -> list[str]:
    return [text for text in statements if any(table in text for table in TABLES)]


async def test_without_limits_one_look_in_a_question_that_is_asked_anyhow_is_all_they_cost(bench: Bench) -> None:
    heard: list[str] = []
    await bench.put()
    async with listening(bench, heard):
        delivery = await bench.delivery()
        await bench.apply(SUCCESS, fence=delivery.fence)
    assert len(about_limits(heard)) == 1
    assert len([text for text in heard if text.lstrip().startswith(("SELECT", "UPDATE", "INSERT"))]) == 4


async def test_a_message_without_a_limit_ends_as_if_there_were_none(bench: Bench) -> None:
    await allow(bench, concurrency=1)
    heard: list[str] = []
    other = await bench.running(name="other")
    async with listening(bench, heard):
        await bench.apply(SUCCESS, fence=other.fence)
    assert about_limits(heard) == []


async def test_who_holds_nothing_and_stands_nowhere_has_no_row(bench: Bench, plain: sqlite3.Connection) -> None:
    end, waiting = await occupy(bench, 3)
    await bench.store.commit([end, Change((Cancel(waiting[0]),))])
    assert len(await bench.finish_all()) == 2
    assert plain.execute(
        "SELECT (SELECT count(*) FROM stem_gates), (SELECT count(*) FROM stem_holdings)"
    ).fetchone() == (
        0,
        0,
    )


async def test_a_gate_whose_last_message_is_cancelled_is_gone_at_once(bench: Bench, plain: sqlite3.Connection) -> None:
    _, (waiting,) = await occupy(bench)
    await bench.apply(Cancel(waiting))
    assert plain.execute("SELECT count(*) FROM stem_gates").fetchone() == (0,)


async def test_allowances_whose_time_has_passed_are_forgotten(bench: Bench, plain: sqlite3.Connection) -> None:
    await allow(bench, "1/m")
    for key in ("a", "b", "c"):
        await bench.put(rate_key=key)
    await bench.finish_all()
    bench.clock.advance(120)
    await bench.store.retain(2)
    assert plain.execute("SELECT count(*) FROM stem_allowances").fetchone() == (1,)


async def test_a_call_looks_past_more_messages_than_it_was_asked_for(bench: Bench) -> None:
    await allow(bench, concurrency=1)
    first, *blocked = await publish_many(bench, MOST_MOVED)
    free = await bench.put(name="other")
    assert await bench.leased_ids(2) == [first, free]
    assert await limited(bench) == set(blocked)


async def test_a_queue_whose_first_may_not_start_keeps_its_turn_for_those_behind_them(bench: Bench) -> None:
    await allow(bench, concurrency=1)
    await bench.running()
    await publish_many(bench, 20, queue="a", priority=9)
    behind = [await bench.put(name="other", queue="a") for _ in range(3)]
    besides = [await bench.put(name="other", queue="b") for _ in range(3)]
    given = await bench.leased_ids(3, queues={"a": 2, "b": 1})
    assert sorted(given) == sorted([*behind[:2], besides[0]])


async def test_a_transaction_of_the_caller_carries_the_keys(bench: Bench, plain: sqlite3.Connection) -> None:
    await allow(bench, concurrency=1)
    write = publish(rate_key="r", concurrency_key="c")
    joiner = await sqlite_of(bench).joiner()
    plain.execute("BEGIN")
    joiner.write(plain, [Change((write,))], lambda verdicts: verdicts)
    plain.execute("COMMIT")
    record = await bench.record(write.envelope.id)
    assert (record.rate_key, record.concurrency_key) == ("r", "c")


@pytest.mark.parametrize("key", ["rate_key", "concurrency_key"])
async def test_a_key_that_sqlite_would_cut_is_refused(bench: Bench, key: str) -> None:
    write = publish(rate_key="a\0b") if key == "rate_key" else publish(concurrency_key="a\0b")
    assert await bench.refused(write) == "rejected"
