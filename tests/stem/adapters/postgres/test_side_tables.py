"""What stands beside `tasks` (the line, the leases, the ended, the unique keys) agrees with it, whatever happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from stem.adapters.postgres import open_store
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Discard,
    Fence,
    Park,
    Release,
    Replay,
    Reschedule,
    Settle,
    UniqueKey,
    Write,
)
from stem.contracts.limits import TaskLimit
from stem.contracts.store import LeaseRequest, Store, TakeRequest
from stem.ids import new_id
from stem.tasks.links import After
from stem.tasks.state import TERMINAL, TaskEvent
from stem.tasks.status import Failure
from stem.testing.contracts import publish
from stem.testing.contracts.allowances import limit
from tests.server_postgres import server_url

QUEUES = {"a": 2, "b": 1}
IDS = 60
ROUNDS = 25
ENDS: tuple[Write, ...] = (
    *(Settle(TaskEvent.SUCCEEDED, b"1"), Settle(TaskEvent.FAILED), Release(), Release(50_000)),
    *(Reschedule(0, Failure("E", "m")), Bury("no"), Park("unknown", "f0", 100_000), Park("unknown", "f1", 1)),
)
LIMITS = tuple(limit(rate, most) for rate, most in (("200/s", None), ("500/s", 3), (None, 1), (None, 5), (None, None)))
WRONG = {
    "a line that no task stands in": """
        SELECT l.seq FROM {s}.line AS l LEFT JOIN {s}.tasks AS t
        ON t.seq = l.seq AND t.due = l.due AND t.queue = l.queue AND t.priority = l.priority WHERE t.seq IS NULL""",
    "a task that is due and stands in no line, or in two": """
        SELECT t.id FROM {s}.tasks AS t
        WHERE (t.due IS NOT NULL)::int <> (SELECT count(*) FROM (
            SELECT l.seq FROM {s}.line AS l UNION ALL SELECT s.seq FROM {s}.side AS s
        ) AS l WHERE l.seq = t.seq)""",
    "a place aside that is no task's": """
        SELECT s.seq FROM {s}.side AS s LEFT JOIN {s}.tasks AS t
        ON t.seq = s.seq AND t.due = s.due AND t.queue = s.queue AND t.priority = s.priority AND t.state = s.state
        WHERE t.seq IS NULL""",
    "a message that stands aside at no gate": """
        SELECT s.seq FROM {s}.side AS s LEFT JOIN {s}.gates AS g ON g.id = s.gate WHERE g.id IS NULL""",
    "a holder that is counted wrong": """
        SELECT coalesce(t.key, a.key) FROM (
            SELECT holds[2] AS key, count(*) FROM {s}.tasks WHERE nonce IS NOT NULL AND holds IS NOT NULL GROUP BY 1
        ) AS t FULL JOIN (SELECT key, used FROM {s}.allowances WHERE kind = 'concurrency' AND used <> 0) AS a
        ON a.key = t.key WHERE coalesce(t.count, 0) <> coalesce(a.used, 0)""",
    "a gate that opens never, though its holders are few": """
        SELECT g.name, g.concurrency_key FROM {s}.gates AS g LEFT JOIN {s}.limits AS l ON l.name = g.name
        LEFT JOIN {s}.allowances AS a
        ON a.kind = 'concurrency' AND a.shared = l.shared AND a.key = g.concurrency_key
        WHERE
            g.opens_at IS NULL AND EXISTS (SELECT FROM {s}.side AS s WHERE s.gate = g.id)
            AND (l.concurrency IS NULL OR coalesce(a.used, 0) < l.concurrency)""",
    "a lease that is not counted": """
        SELECT coalesce(t.nonce, l.nonce) FROM (SELECT nonce, count(*) FROM {s}.tasks GROUP BY nonce) AS t
        FULL JOIN {s}.leases AS l ON l.nonce = t.nonce
        WHERE coalesce(t.nonce, l.nonce) IS NOT NULL AND coalesce(l.held, 0) <> coalesce(t.count, 0)""",
    "an end that will be kept for ever": """
        SELECT t.id FROM {s}.tasks AS t WHERE t.keep_until IS NOT NULL AND NOT EXISTS (
            SELECT FROM {s}.ended AS e WHERE e.keep_until = t.keep_until AND t.seq = ANY (e.seqs))""",
    "a count that is wrong": """
        SELECT coalesce(t.queue, c.queue) FROM (
            SELECT queue, state, count(*) AS tally FROM {s}.tasks GROUP BY queue, state
        ) AS t FULL JOIN (
            SELECT queue, state, sum(delta) AS tally FROM {s}.tallies WHERE queue IS NOT NULL GROUP BY queue, state
        ) AS c ON c.queue = t.queue AND c.state = t.state
        WHERE coalesce(t.tally, 0) <> coalesce(c.tally, 0)""",
    "a name's count that is wrong": """
        SELECT coalesce(t.name, c.name) FROM (SELECT name, count(*) AS tally FROM {s}.tasks GROUP BY name) AS t
        FULL JOIN (SELECT name, sum(delta) AS tally FROM {s}.tallies WHERE name IS NOT NULL GROUP BY name) AS c
        ON c.name = t.name WHERE coalesce(t.tally, 0) <> coalesce(c.tally, 0)""",
    "a line that says another state": """
        SELECT l.seq FROM {s}.line AS l JOIN {s}.tasks AS t ON t.seq = l.seq WHERE l.state <> t.state""",
    "a held message whose upstream has ended": """
        SELECT t.id FROM {s}.tasks AS t JOIN {s}.tasks AS u ON u.id = t.after_id
        WHERE t.held AND u.finished_at IS NOT NULL""",
    "a message that waits for nothing and stands nowhere": """
        SELECT t.id FROM {s}.tasks AS t WHERE t.state = 'queued' AND NOT t.held AND t.due IS NULL""",
    "a key that is never freed": """
        SELECT u.key FROM {s}.uniques AS u LEFT JOIN {s}.tasks AS t ON t.id = u.holder
        WHERE u.until IS NULL AND (t.id IS NULL OR t.state = ANY ($1::text[]))""",
}


@pytest.fixture
async def stores(url: str) -> AsyncIterator[list[Store]]:
    """Several stores of one schema, by the server's clock."""
    stores = [await open_store(url, StoreOptions(clock=SystemClock())) for _ in range(3)]
    yield stores
    for store in stores:
        await store.aclose()


@pytest.mark.parametrize("limits", [(), LIMITS], ids=["without limits", "with limits"])
async def test_all_tables_agree_after_many_workers_did_everything_at_once(
    stores: list[Store], url: str, limits: tuple[TaskLimit, ...]
) -> None:
    fences: list[Fence] = []
    players = [_play(store, seed, fences, limits) for seed, store in enumerate(stores * 3)]
    await asyncio.gather(*players)
    connection = await asyncpg.connect(server_url())
    schema = url.rpartition("schema=")[2]
    for what, question in WRONG.items():
        arguments = [sorted(state.value for state in TERMINAL)] if "$1" in question else []
        assert [row[0] for row in await connection.fetch(question.format(s=schema), *arguments)] == [], what
    assert await connection.fetchval(f"SELECT count(*) FROM {schema}.tasks") > 0
    await connection.close()


async def _play(store: Store, seed: int, fences: list[Fence], limits: tuple[TaskLimit, ...]) -> None:
    """Publish, lease, end, cancel, replay and rescue by chance, on the same few tasks as everybody."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        if limits and chance.random() < 0.2:
            await store.declare_limits([chance.choice(limits)])
        request = LeaseRequest(
            request_id=new_id(), worker="w", fingerprint=f"f{seed % 2}", queues=QUEUES, limit=8, started=4, lease=20_000
        )
        fences.extend(delivery.fence for delivery in (await store.lease(request)).deliveries)
        await store.commit([_change(chance, fences) for _ in range(12)])
        if chance.random() < 0.1:
            await store.retain(5)
        if chance.random() < 0.3:
            suspects = await store.suspects()
            taken = await store.take(TakeRequest(request_id=new_id(), worker="w", suspects=suspects))
            fences.extend(delivery.fence for delivery in taken)


def _change(chance: random.Random, fences: list[Fence]) -> Change:
    task = f"task-{chance.randrange(IDS)}"
    kind = chance.random()
    if kind < 0.35 or not fences:
        key = chance.choice((None, None, UniqueKey(f"key-{chance.randrange(5)}"), UniqueKey("short", 10_000)))
        place: dict[str, Any] = {"queue": chance.choice("ab"), "concurrency_key": chance.choice((None, "x"))}
        return Change((publish(id=task, priority=chance.randrange(3), unique=key, **place),))
    if kind < 0.45:
        after = After(f"task-{chance.randrange(IDS)}")
        return Change((publish(id=f"{task}-{chance.randrange(9)}", queue=chance.choice("ab"), after=after),))
    if kind < 0.6:
        task = chance.choice((task, f"{task}-{chance.randrange(9)}"))
        return Change((chance.choice((Cancel(task), Replay(task), Discard(task))),))
    fence = chance.choice(fences[-20:])
    ends = chance.choice(ENDS)
    follow_up = publish(
        queue=chance.choice("ab"), unique=chance.choice((None, UniqueKey(f"key-{chance.randrange(5)}")))
    )
    return Change((ends, follow_up) if kind < 0.7 else (ends,), fence)
