"""Enqueueing as part of a transaction that the caller holds open: what may be passed, and how it is written over it.

SQLAlchemy is imported only where it is loaded already, because somebody holds a connection or a session of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, cast

from stem.contracts.changes import Change, Verdict
from stem.contracts.store import Store
from stem.contracts.within import Joiner, Joins, must_be_asynchronous, must_be_blocking, spoiled
from stem.errors import UnusableConnection
from stem.stores.delegate import StoreDelegate
from stem.tasks.handle import TaskHandle

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.orm import Session

__all__ = ["Joining", "joiner_of"]

R = TypeVar("R")


async def joiner_of(store: Store, engine: str) -> Joiner:
    """What writes into transactions of this store's database. Raises `UnusableConnection` where there is none."""
    while isinstance(store, StoreDelegate):
        store = store.behind
    if isinstance(store, Joins):
        return await store.joiner()
    raise UnusableConnection(
        expected="an engine in whose database you can have tables of your own (postgresql://, sqlite://)",
        found=f"{engine}://",
        do="Enqueue after your commit, without `connection=`.",
    )


@dataclass(frozen=True, slots=True)
class Joining(Generic[R]):
    """Tasks that are ready to be written into a transaction of the caller. Nothing of them is stored yet.

    `accept` makes the handles, or raises what is to take all of it back.
    """

    joiner: Joiner
    changes: Sequence[Change]
    accept: Callable[[Sequence[Verdict]], list[TaskHandle[R]]]

    async def write(self, connection: object) -> list[TaskHandle[R]]:
        """Write them over an asynchronous connection or session. Raises what `Joiner` says."""
        kind = _kind(connection)
        if kind == "asynchronous":
            return await cast("AsyncConnection", connection).run_sync(self.write_blocking)
        if kind == "blocking":
            raise must_be_asynchronous(connection)
        return await self.joiner.write_async(connection, self.changes, self.accept)

    def write_blocking(self, connection: object) -> list[TaskHandle[R]]:
        """Write them over a blocking connection or session, in this thread. Raises what `Joiner` says."""
        kind = _kind(connection)
        if kind == "blocking":
            return self._write_over_sqlalchemy(cast("Connection | Session", connection))
        if kind == "asynchronous":
            raise must_be_blocking(connection)
        return self.joiner.write(connection, self.changes, self.accept)

    def _write_over_sqlalchemy(self, connection: Connection | Session) -> list[TaskHandle[R]]:
        with _translated():
            driver, is_async = _begun(connection)
        if not is_async:
            return self.joiner.write(driver, self.changes, self.accept)
        from sqlalchemy.util import await_only  # what `run_sync` calls may wait for what is asynchronous beneath

        return await_only(self.joiner.write_async(driver, self.changes, self.accept))


def _kind(connection: object) -> Literal["blocking", "asynchronous"] | None:
    """How a connection or a session of SQLAlchemy is used; `None` for everything else."""
    kinds: list[tuple[str, tuple[str, ...], Literal["blocking", "asynchronous"]]] = [
        ("sqlalchemy.ext.asyncio", ("AsyncConnection", "AsyncSession", "async_scoped_session"), "asynchronous"),
        ("sqlalchemy.orm", ("Session", "scoped_session"), "blocking"),
        ("sqlalchemy.engine", ("Connection",), "blocking"),
    ]
    for module, names, kind in kinds:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(connection, tuple(getattr(loaded, name) for name in names)):
            return kind
    return None


def _begun(connection: Connection | Session) -> tuple[object, bool]:
    """The connection of the driver, after SQLAlchemy has begun its transaction; whether it is asynchronous."""
    from sqlalchemy.engine import Connection

    given = connection if isinstance(connection, Connection) else connection.connection()
    given.exec_driver_sql("SELECT 1").close()
    return cast("object", given.connection.driver_connection), given.dialect.is_async


@contextmanager
def _translated() -> Generator[None, None, None]:
    from sqlalchemy.exc import SQLAlchemyError, UnboundExecutionError

    try:
        yield
    except UnboundExecutionError as error:
        raise UnusableConnection(
            expected="a session with one database",
            found=str(error).partition("\n")[0],
            do="Pass the connection: `session.connection(bind_arguments=...)`.",
        ) from error
    except SQLAlchemyError as error:
        raise spoiled(str(error).partition("\n")[0]) from error
