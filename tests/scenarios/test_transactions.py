"""A task that is enqueued in a transaction of the caller is there with it, for everybody at the same time, or never."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiosqlite
import asyncpg
import pytest

from stem import Registry, Stem
from stem.errors import UnknownId
from tests.scenarios.support.jobs import QUICK, quick

pytestmark = pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.server)])

SOON = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One that the caller has begun, over its own connection."""

    connection: Any
    end: Callable[[str], Awaitable[object]]
    """`COMMIT` or `ROLLBACK`."""


@asynccontextmanager
async def begun(place: str) -> AsyncGenerator[Transaction]:
    if place.startswith("sqlite:"):
        async with aiosqlite.connect(place.removeprefix("sqlite:///"), isolation_level=None) as file:
            await file.execute("BEGIN")
            yield Transaction(file, file.execute)
    else:
        connection = await asyncpg.connect(place.partition("?")[0])
        await connection.execute("BEGIN")
        yield Transaction(connection, connection.execute)
        await connection.close()


async def test_what_was_rolled_back_never_runs_and_leaves_its_key_free(place: str) -> None:
    async with Stem(place) as stem, begun(place) as transaction:
        call = QUICK.options(unique_key="order-7").call(7)
        never = await stem.enqueue(call, connection=transaction.connection)
        await transaction.end("ROLLBACK")
        async with stem.worker(Registry.of(quick)):
            handle = await stem.enqueue(call)
            assert not handle.duplicate
            assert await handle.result(timeout=SOON) == 7
        with pytest.raises(UnknownId):
            await stem.handle(never.id).status()


async def test_nobody_hears_of_it_or_runs_it_before_the_commit_and_then_a_waiting_worker_does(place: str) -> None:
    async with Stem(place) as stem, stem.worker(Registry.of(quick)):
        assert await QUICK.enqueue_and_wait(stem, 1) == 1
        async with begun(place) as transaction:
            handle = await stem.enqueue(QUICK.call(7), connection=transaction.connection)
            with pytest.raises(UnknownId):
                await QUICK.handle(stem, handle.id).status()
            await transaction.end("COMMIT")
        assert await QUICK.handle(stem, handle.id).result(timeout=SOON) == 7
