"""Enqueueing inside a transaction of the caller, in one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiosqlite
import pytest

from stem.adapters.sqlite import open_store
from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.errors import StoreUnavailable, UnusableConnection
from stem.sync import SyncStem
from tests.callers import Async, Blocking, Database, asynchronous, blocking, of_sqlalchemy
from tests.joined import JoinedTransaction, ship, unique


@contextmanager
def over_sqlite3(database: Database) -> Generator[Blocking]:
    with closing(sqlite3.connect(file_of(database))) as connection:
        yield Blocking(connection, connection.execute, connection.commit, connection.rollback)


@contextmanager
def over_sqlite3_in_autocommit(database: Database) -> Generator[Blocking]:
    """With `BEGIN` in the caller's hands."""
    with closing(sqlite3.connect(file_of(database), isolation_level=None)) as connection:
        connection.execute("BEGIN")

        def end(how: str) -> None:
            connection.execute(how)
            connection.execute("BEGIN")

        yield Blocking(connection, connection.execute, lambda: end("COMMIT"), lambda: end("ROLLBACK"))


@asynccontextmanager
async def over_aiosqlite(database: Database) -> AsyncGenerator[Async]:
    async with aiosqlite.connect(file_of(database)) as connection:
        yield Async(connection, connection.execute, connection.commit, connection.rollback)


KINDS = [
    blocking("sqlite3", over_sqlite3),
    blocking("sqlite3 in autocommit", over_sqlite3_in_autocommit),
    asynchronous("aiosqlite", over_aiosqlite),
    *of_sqlalchemy("pysqlite", ["aiosqlite"]),
]


def file_of(database: Database) -> str:
    return database.url.removeprefix("sqlite:///")


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    await (await open_store(url, StoreOptions())).aclose()
    made = Database(url, url)
    with closing(sqlite3.connect(file_of(made))) as connection:
        connection.execute("CREATE TABLE orders (number INTEGER)")
    return made


@pytest.fixture
def stem(database: Database) -> Iterator[SyncStem]:
    with SyncStem(database.url) as stem:
        yield stem


@pytest.fixture
def connection(database: Database) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file_of(database), timeout=0.1)) as connection:
        yield connection


@pytest.mark.parametrize("kind", KINDS, ids=str)
class TestEveryKind(JoinedTransaction):
    @pytest.fixture
    def orders(self, database: Database) -> Callable[[], Awaitable[list[int]]]:
        async def look() -> list[int]:
            with closing(sqlite3.connect(file_of(database))) as connection:
                return [row[0] for row in connection.execute("SELECT number FROM orders")]

        return look


class TestSqlite3:
    def test_what_its_owner_makes_of_rows_and_texts_is_left_alone(
        self, stem: SyncStem, connection: sqlite3.Connection
    ) -> None:
        def as_dict(cursor: sqlite3.Cursor, row: tuple[object, ...]) -> dict[str, object]:
            return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}

        connection.row_factory, connection.text_factory = as_dict, bytes
        first = stem.enqueue(unique(7), connection=connection)
        assert stem.enqueue(unique(7), connection=connection).id == first.id
        assert connection.execute("SELECT 'a' AS letter").fetchone() == {"letter": b"a"}

    def test_another_file_is_refused(self, stem: SyncStem, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
            with pytest.raises(UnusableConnection, match=r"other\.db"):
                stem.enqueue(ship.call(7), connection=other)
            assert not other.in_transaction

    def test_a_database_in_memory_is_refused(self, stem: SyncStem) -> None:
        with closing(sqlite3.connect(":memory:")) as other, pytest.raises(UnusableConnection, match="in memory"):
            stem.enqueue(ship.call(7), connection=other)

    def test_another_path_to_the_same_file_is_the_same_file(
        self, stem: SyncStem, database: Database, tmp_path: Path
    ) -> None:
        (tmp_path / "link.db").symlink_to(file_of(database))
        with closing(sqlite3.connect(tmp_path / "link.db")) as connection:
            handle = stem.enqueue(ship.call(7), connection=connection)
            connection.commit()
        assert handle.status().queue == "shipping"

    def test_a_closed_connection_is_refused(self, stem: SyncStem, connection: sqlite3.Connection) -> None:
        connection.close()
        with pytest.raises(UnusableConnection, match="closed"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_a_connection_of_another_thread_is_refused(self, stem: SyncStem, connection: sqlite3.Connection) -> None:
        with ThreadPoolExecutor(1) as thread, pytest.raises(UnusableConnection, match="thread"):
            thread.submit(lambda: stem.enqueue(ship.call(7), connection=connection)).result()

    def test_autocommit_without_a_transaction_is_refused(self, stem: SyncStem, connection: sqlite3.Connection) -> None:
        connection.isolation_level = None
        with pytest.raises(UnusableConnection, match="BEGIN IMMEDIATE"):
            stem.enqueue(ship.call(7), connection=connection)

    def test_a_transaction_that_read_too_early_is_told_to_begin_otherwise(
        self, stem: SyncStem, connection: sqlite3.Connection
    ) -> None:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM orders").fetchall()
        stem.enqueue(ship.call(1))
        with pytest.raises(UnusableConnection, match="BEGIN IMMEDIATE"):
            stem.enqueue(ship.call(7), connection=connection)
        assert connection.in_transaction

    def test_a_file_that_somebody_else_writes_is_waited_for_as_the_connection_says(
        self, stem: SyncStem, database: Database, connection: sqlite3.Connection
    ) -> None:
        with closing(sqlite3.connect(file_of(database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                stem.enqueue(ship.call(7), connection=connection)
        assert not connection.in_transaction
        stem.enqueue(ship.call(7), connection=connection)

    def test_an_asynchronous_connection_is_refused_in_blocking_code(self, stem: SyncStem, database: Database) -> None:
        connection = aiosqlite.connect(file_of(database))
        with pytest.raises(UnusableConnection, match="blocking"):
            stem.enqueue(ship.call(7), connection=connection)

    @pytest.mark.parametrize("thing", ["shop.db", object(), sqlite3])
    def test_what_is_no_connection_is_refused(self, stem: SyncStem, thing: object) -> None:
        with pytest.raises(UnusableConnection, match="a connection of sqlite3 or aiosqlite"):
            stem.enqueue(ship.call(7), connection=thing)


class TestAiosqlite:
    async def test_a_blocking_connection_is_refused_in_asynchronous_code(
        self, database: Database, connection: sqlite3.Connection
    ) -> None:
        async with Stem(database.url) as stem:
            with pytest.raises(UnusableConnection, match="SyncStem"):
                await stem.enqueue(ship.call(7), connection=connection)

    async def test_a_closed_connection_is_refused(self, database: Database) -> None:
        async with Stem(database.url) as stem, aiosqlite.connect(file_of(database)) as connection:
            await connection.close()
            with pytest.raises(UnusableConnection, match="closed"):
                await stem.enqueue(ship.call(7), connection=connection)

    async def test_what_is_enqueued_at_once_over_one_connection_does_not_mix(self, database: Database) -> None:
        async with Stem(database.url) as stem, aiosqlite.connect(file_of(database)) as connection:
            calls = (stem.enqueue(unique(number % 5), connection=connection) for number in range(20))
            handles = await asyncio.gather(*calls)
            await connection.commit()
            assert len({handle.id for handle in handles}) == 5
            (queue,) = await stem.inspect.queues()
            assert sum(queue.counts.values()) == 5


class TestSqlalchemy:
    async def test_run_sync_carries_a_blocking_client_over_an_asynchronous_session(self, database: Database) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
        from sqlalchemy.orm import Session

        engine = create_async_engine(database.sqlalchemy("aiosqlite"))
        with SyncStem(database.url) as stem:

            def program(session: Session) -> str:
                return stem.enqueue(ship.call(7), connection=session).id

            async with AsyncSession(engine) as session, session.begin():
                task_id = await session.run_sync(program)
            assert stem.handle(task_id).status().queue == "shipping"
        await engine.dispose()
