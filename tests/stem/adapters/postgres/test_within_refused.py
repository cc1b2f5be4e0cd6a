"""Connections in whose transactions nothing can be enqueued, and what is said of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from select import select
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from stem.app import Stem
from stem.errors import StoreUnavailable, UnusableConnection
from stem.sync import SyncStem
from tests.callers import Database
from tests.joined import ship, unique
from tests.stem.adapters.postgres.joining import connected, waits_for_a_lock

Psycopg = psycopg.Connection[Any]
PATIENCE = 30.0


def refused(what: str) -> AbstractContextManager[object]:
    return pytest.raises(UnusableConnection, match=what)


class TestAsyncpg:
    async def test_without_a_transaction_it_is_refused(self, stem: Stem, connection: asyncpg.Connection) -> None:
        with refused(r"connection\.transaction"):
            await stem.enqueue(ship.call(7), connection=connection)

    async def test_a_closed_connection_is_refused(self, stem: Stem, connection: asyncpg.Connection) -> None:
        await connection.close()
        with refused("closed"):
            await stem.enqueue(ship.call(7), connection=connection)

    async def test_a_connection_given_back_to_its_pool_is_refused(self, stem: Stem, database: Database) -> None:
        async with asyncpg.create_pool(database.driver, min_size=1) as pool:
            async with pool.acquire() as connection:
                pass
            with refused("released"):
                await stem.enqueue(ship.call(7), connection=connection)

    async def test_a_transaction_in_which_a_statement_failed_is_refused(
        self, stem: Stem, connection: asyncpg.Connection
    ) -> None:
        transaction = connection.transaction()
        await transaction.start()
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SELECT 1 / 0")
        with refused("Roll it back"):
            await stem.enqueue(ship.call(7), connection=connection)
        await transaction.rollback()

    async def test_a_connection_that_is_busy_is_refused(self, stem: Stem, connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            busy = asyncio.ensure_future(connection.execute("SELECT pg_sleep(0.2)"))
            await asyncio.sleep(0)
            with refused("in progress"):
                await stem.enqueue(ship.call(7), connection=connection)
            await busy

    async def test_a_caller_that_is_cancelled_keeps_its_transaction(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        async with connected(database) as other, other.transaction():
            await stem.enqueue(unique(7), connection=other)
            async with connection.transaction():
                await connection.execute(f"INSERT INTO {database.orders} VALUES (1)")
                enqueue = asyncio.ensure_future(stem.enqueue(unique(7), connection=connection))
                await waits_for_a_lock(database)
                enqueue.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await enqueue
        assert await connection.fetchval(f"SELECT count(*) FROM {database.orders}") == 1

    async def test_a_blocking_client_refuses_it(self, database: Database, connection: asyncpg.Connection) -> None:
        with SyncStem(database.url) as stem, refused("blocking"):
            stem.enqueue(ship.call(7), connection=connection)


class TestPsycopg:
    @pytest.fixture
    def stem(self, database: Database) -> Iterator[SyncStem]:
        with SyncStem(database.url) as stem:
            yield stem

    @pytest.fixture
    def connection(self, database: Database) -> Iterator[Psycopg]:
        connection = psycopg.connect(database.driver)
        yield connection
        connection.close()

    def test_autocommit_without_a_transaction_is_refused(self, stem: SyncStem, connection: Psycopg) -> None:
        connection.autocommit = True
        with refused("autocommit"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_autocommit_inside_a_transaction_block_is_a_transaction(
        self, stem: SyncStem, connection: psycopg.Connection
    ) -> None:
        connection.autocommit = True
        with connection.transaction():
            handle = stem.enqueue(ship.call(7), connection=connection)
        assert handle.status().queue == "shipping"

    def test_a_closed_connection_is_refused(self, stem: SyncStem, connection: Psycopg) -> None:
        connection.close()
        with refused("closed"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_a_pipeline_is_refused(self, stem: SyncStem, connection: Psycopg) -> None:
        with connection.pipeline(), refused("pipeline"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_a_transaction_in_which_a_statement_failed_is_refused(
        self, stem: SyncStem, connection: psycopg.Connection
    ) -> None:
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1 / 0")
        with refused("Roll it back"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_a_connection_that_the_server_ended_is_refused(
        self, stem: SyncStem, connection: Psycopg, database: Database
    ) -> None:
        with psycopg.connect(database.driver) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        assert select([connection], [], [], PATIENCE)[0]  # the server's last word has come
        with pytest.raises((UnusableConnection, StoreUnavailable)):
            stem.enqueue(ship.call(7), connection=connection)

    def test_what_is_no_connection_is_refused(self, stem: SyncStem, database: Database) -> None:

        for thing in (create_engine(database.sqlalchemy("psycopg")), database.driver, psycopg):
            with refused("asyncpg or psycopg 3"):
                stem.enqueue(ship.call(7), connection=thing)

    async def test_asynchronous_code_refuses_what_blocks(
        self, database: Database, connection: psycopg.Connection
    ) -> None:
        async with Stem(database.url) as stem:
            with refused("SyncStem"):
                await stem.enqueue(ship.call(7), connection=connection)


class TestSqlalchemy:
    def test_autocommit_is_refused(self, database: Database) -> None:
        engine = create_engine(database.sqlalchemy("psycopg"), isolation_level="AUTOCOMMIT")
        with SyncStem(database.url) as stem, engine.connect() as connection, refused("autocommit"):
            stem.enqueue(ship.call(7), connection=connection)
        engine.dispose()

    async def test_asynchronous_autocommit_is_refused(self, database: Database, stem: Stem) -> None:
        engine = create_async_engine(database.sqlalchemy("asyncpg"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            with refused("autocommit"):
                await stem.enqueue(ship.call(7), connection=connection)
        await engine.dispose()

    async def test_a_session_whose_statement_failed_is_refused(self, database: Database, stem: Stem) -> None:
        engine = create_async_engine(database.sqlalchemy("asyncpg"))
        async with AsyncSession(engine) as session:
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))
            with refused("Roll it back"):
                await stem.enqueue(ship.call(7), connection=session)
        await engine.dispose()

    def test_a_closed_connection_is_refused(self, database: Database) -> None:
        engine = create_engine(database.sqlalchemy("psycopg"))
        with SyncStem(database.url) as stem, engine.connect() as connection:
            connection.close()
            with refused("closed"):
                stem.enqueue(ship.call(7), connection=connection)
        engine.dispose()

    def test_a_session_without_a_database_is_refused(self, database: Database) -> None:
        with SyncStem(database.url) as stem, Session() as session, refused("Pass the connection"):
            stem.enqueue(ship.call(7), connection=session)

    async def test_asynchronous_code_refuses_what_blocks_and_blocking_code_what_does_not(
        self, database: Database, stem: Stem
    ) -> None:
        engine = create_engine(database.sqlalchemy("psycopg"))
        with Session(engine) as session, refused("SyncStem"):
            await stem.enqueue(ship.call(7), connection=session)
        with SyncStem(database.url) as blocking_stem, refused("run_sync"):
            blocking_stem.enqueue(ship.call(7), connection=AsyncSession())
        engine.dispose()

    @pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
    async def test_run_sync_carries_a_blocking_client_over_an_asynchronous_session(
        self, database: Database, driver: str
    ) -> None:
        engine = create_async_engine(database.sqlalchemy(driver))
        with SyncStem(database.url) as stem:

            def program(session: Session) -> str:
                return stem.enqueue(ship.call(7), connection=session).id

            async with AsyncSession(engine) as session, session.begin():
                task_id = await session.run_sync(program)
            assert stem.handle(task_id).status().queue == "shipping"
        await engine.dispose()
