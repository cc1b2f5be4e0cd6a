"""Programs that keep orders of their own beside Stem's tasks: one for each kind of connection that can carry both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from stem.app import Stem
from stem.sync import SyncStem
from stem.tasks.call import TaskCall

__all__ = ["Accepted", "Async", "Blocking", "Caller", "Database", "Kind", "asynchronous", "blocking"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    """Where both are kept: Stem's URL, the same for drivers and for SQLAlchemy, and the name of the table."""

    url: str
    driver: str
    orders: str = "orders"

    def sqlalchemy(self, driver: str) -> str:
        """The URL for SQLAlchemy over a driver."""
        scheme, _, rest = self.driver.partition("://")
        return f"{scheme}+{driver}://{rest}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a handle says without a question to the store."""

    id: str
    duplicate: bool


class Caller(Protocol):
    """A program inside a transaction of its own, which ends with the program at the latest."""

    async def order(self, number: int) -> None:
        """Write an order."""
        ...

    async def enqueue(self, call: TaskCall[Any]) -> Accepted:
        """Enqueue as part of the transaction."""
        ...

    async def enqueue_many(self, calls: Sequence[TaskCall[Any]]) -> list[Accepted]:
        """Enqueue all as part of the transaction."""
        ...

    async def commit(self) -> None:
        """Commit."""
        ...

    async def rollback(self) -> None:
        """Roll back."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connection, and how a program with one is started."""

    name: str
    start: Callable[[Database], AbstractAsyncContextManager[Caller]]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Async:
    """What an asynchronous kind of connection offers."""

    connection: object
    execute: Callable[[str], Awaitable[object]]
    commit: Callable[[], Awaitable[object]]
    rollback: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Blocking:
    """What a blocking kind of connection offers."""

    connection: object
    execute: Callable[[str], object]
    commit: Callable[[], object]
    rollback: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _AsyncCaller:
    stem: Stem
    orders: str
    over: Async

    async def order(self, number: int) -> None:
        await self.over.execute(f"INSERT INTO {self.orders} VALUES ({number})")

    async def enqueue(self, call: TaskCall[Any]) -> Accepted:
        handle = await self.stem.enqueue(call, connection=self.over.connection)
        return Accepted(handle.id, handle.duplicate)

    async def enqueue_many(self, calls: Sequence[TaskCall[Any]]) -> list[Accepted]:
        batch = await self.stem.enqueue_many(calls, connection=self.over.connection)
        return [Accepted(handle.id, handle.duplicate) for handle in batch]

    async def commit(self) -> None:
        await self.over.commit()

    async def rollback(self) -> None:
        await self.over.rollback()


@dataclass(frozen=True, slots=True)
class _BlockingCaller:
    """Does everything in one thread that is not the loop's."""

    stem: SyncStem
    orders: str
    over: Blocking
    thread: ThreadPoolExecutor

    async def order(self, number: int) -> None:
        await self._run(lambda: self.over.execute(f"INSERT INTO {self.orders} VALUES ({number})"))

    async def enqueue(self, call: TaskCall[Any]) -> Accepted:
        handle = await self._run(lambda: self.stem.enqueue(call, connection=self.over.connection))
        return Accepted(handle.id, handle.duplicate)

    async def enqueue_many(self, calls: Sequence[TaskCall[Any]]) -> list[Accepted]:
        batch = await self._run(lambda: self.stem.enqueue_many(calls, connection=self.over.connection))
        return [Accepted(handle.id, handle.duplicate) for handle in batch]

    async def commit(self) -> None:
        await self._run(self.over.commit)

    async def rollback(self) -> None:
        await self._run(self.over.rollback)

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, call)


def asynchronous(name: str, connect: Callable[[Database], AbstractAsyncContextManager[Async]]) -> Kind:
    """The kind whose transaction is begun by `connect`."""

    @asynccontextmanager
    async def start(database: Database) -> AsyncGenerator[Caller]:
        async with Stem(database.url) as stem, connect(database) as over:
            yield _AsyncCaller(stem, database.orders, over)

    return Kind(name, start)


def blocking(name: str, connect: Callable[[Database], AbstractContextManager[Blocking]]) -> Kind:
    """The kind whose transaction is begun by `connect`."""

    @asynccontextmanager
    async def start(database: Database) -> AsyncGenerator[Caller]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            stem = SyncStem(database.url)
            opened = connect(database)
            await loop.run_in_executor(thread, stem.open)
            over = await loop.run_in_executor(thread, opened.__enter__)
            try:
                yield _BlockingCaller(stem, database.orders, over, thread)
            finally:
                await loop.run_in_executor(thread, lambda: opened.__exit__(None, None, None))
                await loop.run_in_executor(thread, stem.close)

    return Kind(name, start)


@contextmanager
def over_connection(database: Database, driver: str) -> Generator[Blocking]:
    """A `Connection` of SQLAlchemy, as its users have one: a transaction begins with the first statement."""
    from sqlalchemy import create_engine, text

    engine = create_engine(database.sqlalchemy(driver))
    with engine.connect() as connection:
        yield Blocking(connection, lambda sql: connection.execute(text(sql)), connection.commit, connection.rollback)
    engine.dispose()


@contextmanager
def over_session(database: Database, driver: str) -> Generator[Blocking]:
    """A `Session` of SQLAlchemy."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    engine = create_engine(database.sqlalchemy(driver))
    with Session(engine) as session:
        yield Blocking(session, lambda sql: session.execute(text(sql)), session.commit, session.rollback)
    engine.dispose()


@contextmanager
def over_scoped_session(database: Database, driver: str) -> Generator[Blocking]:
    """A `scoped_session` of SQLAlchemy, as web frameworks keep one."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import scoped_session, sessionmaker

    engine = create_engine(database.sqlalchemy(driver))
    session = scoped_session(sessionmaker(engine))
    with closing(session):
        yield Blocking(session, lambda sql: session.execute(text(sql)), session.commit, session.rollback)
    engine.dispose()


@asynccontextmanager
async def over_async_connection(database: Database, driver: str) -> AsyncGenerator[Async]:
    """An `AsyncConnection` of SQLAlchemy."""
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(database.sqlalchemy(driver))
    async with engine.connect() as connection:
        yield Async(connection, lambda sql: connection.execute(text(sql)), connection.commit, connection.rollback)
    await engine.dispose()


@asynccontextmanager
async def over_async_session(database: Database, driver: str) -> AsyncGenerator[Async]:
    """An `AsyncSession` of SQLAlchemy."""
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    engine = create_async_engine(database.sqlalchemy(driver))
    async with AsyncSession(engine) as session:
        yield Async(session, lambda sql: session.execute(text(sql)), session.commit, session.rollback)
    await engine.dispose()


def of_sqlalchemy(blocking_driver: str, async_drivers: Sequence[str]) -> list[Kind]:
    """The connections and sessions of SQLAlchemy over these drivers."""
    blocking_ones = {"Connection": over_connection, "Session": over_session, "scoped_session": over_scoped_session}
    async_ones = {"AsyncConnection": over_async_connection, "AsyncSession": over_async_session}
    return [
        *(
            blocking(f"sqlalchemy {name} over {blocking_driver}", partial(over, driver=blocking_driver))
            for name, over in blocking_ones.items()
        ),
        *(
            asynchronous(f"sqlalchemy {name} over {driver}", partial(over, driver=driver))
            for name, over in async_ones.items()
            for driver in async_drivers
        ),
    ]
