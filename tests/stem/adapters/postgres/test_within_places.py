"""Transactions of other databases, users without rights, and unique keys that open transactions hold."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from stem.app import Stem
from stem.contracts.changes import Change
from stem.contracts.store import Store
from stem.contracts.within import Joins
from stem.errors import StoreUnavailable, UnusableConnection
from stem.testing.contracts import publish
from stem.testing.contracts.ear import Ear
from tests.callers import Database
from tests.joined import ship, unique
from tests.scenarios.support.waiting import eventually
from tests.server_postgres import PostgresServer
from tests.stem.adapters.postgres.joining import connected, schema_of, waits_for_a_lock


class TestDatabases:
    async def test_another_database_of_the_server_is_refused(self, stem: Stem, database: Database) -> None:
        other = Database(database.url, f"{database.driver.rpartition('/')[0]}/template1")
        async with connected(other) as connection, connection.transaction():
            with pytest.raises(UnusableConnection, match="'template1'"):
                await stem.enqueue(ship.call(7), connection=connection)

    async def test_another_server_with_the_same_names_is_refused(
        self, stem: Stem, database: Database, own_server: PostgresServer
    ) -> None:
        schema = schema_of(database.url)
        async with Stem(f"{own_server.url}?schema={schema}"):
            pass
        async with connected(Database("", own_server.url)) as connection, connection.transaction():
            with pytest.raises(UnusableConnection, match=f"'postgres' on .*:{own_server.port}"):
                await stem.enqueue(ship.call(7), connection=connection)

    async def test_a_server_that_was_started_again_is_still_the_same(self, own_server: PostgresServer) -> None:
        async with Stem(own_server.url) as stem:
            for _ in range(2):
                async with connected(Database("", own_server.url)) as connection, connection.transaction():
                    await stem.enqueue(ship.call(7), connection=connection)
                await asyncio.to_thread(own_server.stop)
                await asyncio.to_thread(own_server.start)

    async def test_a_user_without_rights_is_told_which(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        role = f"{schema_of(database.url)}_clerk"
        await connection.execute(f"CREATE ROLE {role}")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            with pytest.raises(UnusableConnection, match=f"GRANT USAGE ON SCHEMA {schema_of(database.url)}"):
                await stem.enqueue(ship.call(7), connection=connection)
        await connection.execute(f"DROP ROLE {role}")

    async def test_the_rights_that_the_error_names_are_enough(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        role, schema = f"{schema_of(database.url)}_clerk", schema_of(database.url)
        await connection.execute(f"CREATE ROLE {role}")
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            handle = await stem.enqueue(unique(7), connection=connection)
        assert (await handle.status()).queue == "shipping"
        await connection.execute(f"DROP OWNED BY {role}")
        await connection.execute(f"DROP ROLE {role}")

    async def test_a_repeatable_read_that_is_too_old_is_told_to_begin_again(
        self, stem: Stem, connection: asyncpg.Connection
    ) -> None:
        async with connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await connection.execute("SELECT 1 FROM pg_class LIMIT 1")
            await stem.enqueue(unique(7))
            with pytest.raises(UnusableConnection, match="do it again"):
                await stem.enqueue(unique(7), connection=connection)


class TestKeys:
    async def test_a_key_in_an_open_transaction_is_waited_for_a_second_and_harms_nothing(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        async with connected(database) as other, other.transaction():
            await stem.enqueue(unique(7), connection=other)
            async with connection.transaction():
                with pytest.raises(StoreUnavailable, match="let go"):
                    await stem.enqueue(unique(7), connection=connection)
                assert not (await stem.enqueue(unique(8), connection=connection)).duplicate

    async def test_the_lock_timeout_of_the_caller_is_the_same_afterwards(
        self, stem: Stem, connection: asyncpg.Connection
    ) -> None:
        await connection.execute("SET lock_timeout = '7s'")
        async with connection.transaction():
            await stem.enqueue(unique(7), connection=connection)
            assert await connection.fetchval("SHOW lock_timeout") == "7s"

    @pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
    async def test_another_producer_of_a_key_waits_for_the_end_of_the_transaction_that_has_it(
        self, stem: Stem, database: Database, connection: asyncpg.Connection, end: str
    ) -> None:
        await connection.execute("BEGIN")
        first = await stem.enqueue(unique(7), connection=connection)
        other = asyncio.ensure_future(stem.enqueue(unique(7)))
        await waits_for_a_lock(database)
        await connection.execute(end)
        handle = await other
        assert handle.duplicate == (end == "COMMIT")
        assert (handle.id == first.id) == handle.duplicate

    async def test_a_key_that_is_held_for_long_keeps_no_other_publish_of_its_producer_waiting(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        await connection.execute("BEGIN")
        first = await stem.enqueue(unique(7), connection=connection)
        held_up = [asyncio.ensure_future(stem.enqueue(unique(7))) for _ in range(5)]
        for number in range(3):
            await waits_for_a_lock(database)
            assert (await stem.enqueue(ship.call(number))).id
        assert not (await stem.enqueue(unique(8))).duplicate
        assert not any(waiting.done() for waiting in held_up)
        await connection.execute("COMMIT")
        assert {handle.id for handle in await asyncio.gather(*held_up)} == {first.id}

    async def test_a_key_stays_free_when_its_publish_finds_its_id_published_without_it(
        self, stem: Stem, database: Database, connection: asyncpg.Connection
    ) -> None:
        await connection.execute("BEGIN")
        await stem.enqueue(ship.options(task_id="the-same").call(7), connection=connection)
        other = asyncio.ensure_future(stem.enqueue(unique(7, task_id="the-same")))
        await waits_for_a_lock(database)
        await connection.execute("COMMIT")
        assert (await other).id == "the-same"
        assert not (await stem.enqueue(unique(7))).duplicate


async def test_the_store_that_enqueues_hears_of_the_commit_itself(store: Store, connection: asyncpg.Connection) -> None:
    assert isinstance(store, Joins)
    joiner = await store.joiner()
    with Ear(store) as ear:
        await eventually(lambda: ear.notices, what="it listens, and was told to look at everything")
        async with connection.transaction():
            await joiner.write_async(connection, [Change((publish(queue="shipping"),))], list)
        await eventually(lambda: any("shipping" in notice.queues for notice in ear.notices))
