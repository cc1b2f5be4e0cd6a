"""Enqueueing inside a transaction of the caller, in one PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from tests.callers import Async, Blocking, Database, asynchronous, blocking, of_sqlalchemy
from tests.joined import JoinedTransaction
from tests.stem.adapters.postgres.joining import connected


@asynccontextmanager
async def over_asyncpg(database: Database) -> AsyncGenerator[Async]:
    connection = await asyncpg.connect(database.driver)
    async with begun(connection) as over:
        yield over
    await connection.close()


@asynccontextmanager
async def over_pool(database: Database) -> AsyncGenerator[Async]:
    pool = asyncpg.create_pool(database.driver, min_size=1)
    async with pool, pool.acquire() as connection, begun(connection) as over:
        yield over


@asynccontextmanager
async def begun(connection: asyncpg.Connection) -> AsyncGenerator[Async]:
    async def end(how: str) -> None:
        await connection.execute(how)
        await connection.execute("BEGIN")

    await connection.execute("BEGIN")
    yield Async(connection, connection.execute, lambda: end("COMMIT"), lambda: end("ROLLBACK"))
    await connection.execute("ROLLBACK")


@contextmanager
def over_psycopg(database: Database) -> Generator[Blocking]:
    with psycopg.connect(database.driver) as connection:
        yield Blocking(connection, lambda sql: connection.execute(sql.encode()), connection.commit, connection.rollback)


@contextmanager
def over_psycopg_in_autocommit(database: Database) -> Generator[Blocking]:
    """With `BEGIN` in the caller's hands, and rows made into something else."""
    opened = psycopg.Connection[DictRow].connect(database.driver, autocommit=True, row_factory=dict_row)
    with opened as connection:
        connection.execute("BEGIN")

        def end(how: bytes) -> None:
            connection.execute(how)
            connection.execute("BEGIN")

        def execute(sql: str) -> object:
            return connection.execute(sql.encode())

        yield Blocking(connection, execute, lambda: end(b"COMMIT"), lambda: end(b"ROLLBACK"))


@asynccontextmanager
async def over_async_psycopg(database: Database) -> AsyncGenerator[Async]:
    async with await psycopg.AsyncConnection.connect(database.driver) as connection:
        yield Async(connection, lambda sql: connection.execute(sql.encode()), connection.commit, connection.rollback)


KINDS = [
    asynchronous("asyncpg", over_asyncpg),
    asynchronous("asyncpg from a pool", over_pool),
    blocking("psycopg", over_psycopg),
    blocking("psycopg in autocommit", over_psycopg_in_autocommit),
    asynchronous("psycopg AsyncConnection", over_async_psycopg),
    *of_sqlalchemy("psycopg", ["asyncpg", "psycopg"]),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
class TestEveryKind(JoinedTransaction):
    @pytest.fixture
    def orders(self, database: Database) -> Callable[[], Awaitable[list[int]]]:
        async def look() -> list[int]:
            async with connected(database) as connection:
                return [row[0] for row in await connection.fetch(f"SELECT number FROM {database.orders}")]

        return look
