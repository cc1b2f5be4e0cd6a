"""The connections of others that can carry a statement: those of asyncpg and of psycopg, blocking or not.

psycopg is imported only where it is loaded already, because somebody holds a connection of it.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from stem.adapters.postgres.pump import Rows, Statement
from stem.contracts.within import closed, must_be_asynchronous, must_be_blocking, not_begun, unknown_kind
from stem.errors import UnusableConnection

if TYPE_CHECKING:
    import psycopg

__all__ = ["async_sender", "blocking_sender"]

_KINDS: Final = "a connection of asyncpg or psycopg 3, or an SQLAlchemy connection or session over one of them"


def blocking_sender(connection: object) -> Callable[[Statement], Rows]:
    """What sends statements over a blocking connection. Raises `UnusableConnection` for one that is of no use."""
    driver = _driver(connection)
    if driver == "psycopg":
        return _over_psycopg(cast("psycopg.Connection[Any]", connection))
    raise must_be_blocking(connection) if driver else unknown_kind(_KINDS, connection)


def async_sender(connection: object) -> Callable[[Statement], Awaitable[Rows]]:
    """What sends statements over an asynchronous connection. Raises `UnusableConnection` for one that is of no use."""
    driver = _driver(connection)
    if driver == "asyncpg":
        return _over_asyncpg(cast("asyncpg.Connection", connection))
    if driver == "async psycopg":
        return _over_async_psycopg(cast("psycopg.AsyncConnection[Any]", connection))
    raise must_be_asynchronous(connection) if driver else unknown_kind(_KINDS, connection)


def _driver(connection: object) -> Literal["asyncpg", "psycopg", "async psycopg"] | None:
    if isinstance(connection, asyncpg.Connection | PoolConnectionProxy):
        return "asyncpg"
    if "psycopg" in sys.modules:
        import psycopg

        if isinstance(connection, psycopg.Connection | psycopg.AsyncConnection):
            return "psycopg" if isinstance(connection, psycopg.Connection) else "async psycopg"
    return None


def _over_asyncpg(connection: asyncpg.Connection) -> Callable[[Statement], Awaitable[Rows]]:
    try:
        if connection.is_closed():
            raise closed()
        begun = connection.is_in_transaction()
    except asyncpg.InterfaceError as error:  # it was given back to its pool
        raise closed(str(error)) from error
    if not begun:
        raise not_begun("Enqueue inside `async with connection.transaction():`.")

    def send(statement: Statement) -> Awaitable[Rows]:
        return connection.fetch(statement.text, *statement.values)

    return send


def _over_psycopg(connection: psycopg.Connection[Any]) -> Callable[[Statement], Rows]:
    import psycopg

    _check_psycopg(connection)

    def send(statement: Statement) -> Rows:
        with _as_asyncpg(), psycopg.RawCursor(connection, row_factory=_row_factory) as cursor:
            cursor.execute(statement.text.encode(), statement.values or None)
            return cast("Rows", cursor.fetchall() if cursor.description else [])

    return send


def _over_async_psycopg(connection: psycopg.AsyncConnection[Any]) -> Callable[[Statement], Awaitable[Rows]]:
    import psycopg

    _check_psycopg(connection)

    async def send(statement: Statement) -> Rows:
        with _as_asyncpg():
            async with psycopg.AsyncRawCursor(connection, row_factory=_row_factory) as cursor:
                await cursor.execute(statement.text.encode(), statement.values or None)
                return cast("Rows", await cursor.fetchall() if cursor.description else [])

    return send


def _check_psycopg(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    import psycopg

    if connection.closed:
        raise closed()
    if connection.autocommit and connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE:
        raise not_begun("Enqueue inside `with connection.transaction():`, or connect without autocommit.")
    if connection.pgconn.pipeline_status:
        raise UnusableConnection(
            expected="a connection outside of pipeline mode",
            found="one in a pipeline",
            do="Enqueue before it or after it.",
        )
    if not hasattr(psycopg, "RawCursor"):
        raise UnusableConnection(
            expected="psycopg 3.2 or newer", found=f"psycopg {psycopg.__version__}", do="Update psycopg."
        )


class _Row:
    """A row whose fields are found by place and by name, as those of asyncpg are."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: dict[str, int], values: Sequence[object]) -> None:
        self._places = places
        self._values = values

    def __getitem__(self, key: str | int) -> object:
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[object]:
        return iter(self._values)


def _row_factory(
    cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any],
) -> Callable[[Sequence[object]], _Row]:
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: _Row(places, values)


@contextmanager
def _as_asyncpg() -> Generator[None, None, None]:
    """Errors of psycopg leave this block as those of asyncpg that mean the same, so that one table translates both."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _asyncpg_error(error) from error


def _asyncpg_error(error: psycopg.Error) -> Exception:
    import psycopg

    state = error.sqlstate or ("22000" if isinstance(error, psycopg.DataError) else None)
    if state is None:
        return asyncpg.InterfaceError(str(error))
    same = asyncpg.PostgresError(str(error))
    same.sqlstate = state
    return same
