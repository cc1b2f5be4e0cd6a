"""Connections: one for each kind of work, opened at first use, opened again after an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres.errors import (
    DRIVER_ERRORS,
    is_bouncer,
    is_connection_over,
    is_passing,
    translate,
    unreadable,
)
from stem.adapters.postgres.url import Place
from stem.errors import ConfigError, StoreUnavailable

__all__ = ["Bouncer", "Line", "connect"]

T = TypeVar("T")
Work = Callable[[asyncpg.Connection], Awaitable[T]]

OLDEST: Final = 13
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 15.0
_REPEATS: Final = 6
_PLAIN: Final = {
    "application_name": "stem",
    "lock_timeout": "1000",
    "idle_in_transaction_session_timeout": "30000",
    "default_transaction_isolation": "read committed",
}
_STEADY: Final = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""One plan for all sizes of the tables: what was given is looked up by index, row by row, in its order."""


class Bouncer:
    """Whether a PgBouncer stands before the server; what one connection finds out, all of the store know."""

    def __init__(self, *, known: bool) -> None:
        self.present = known


async def connect(place: Place, bouncer: Bouncer, *, steady: bool = True) -> asyncpg.Connection:
    """A connection, `steady` for the statements that must not depend on statistics.

    Raises `ConfigError` for a server that is too old or will not have this user, `StoreUnavailable` for one that does
    not answer.
    """
    try:
        return await _checked(place, bouncer, steady=steady)
    except DRIVER_ERRORS as error:
        if bouncer.present or not is_bouncer(error):
            raise translate(error, place) from error
    bouncer.present = True
    return await connect(place, bouncer, steady=steady)


async def _checked(place: Place, bouncer: Bouncer, *, steady: bool) -> asyncpg.Connection:
    connection = await asyncpg.connect(
        place.dsn,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
        statement_cache_size=0 if bouncer.present else 100,
        max_cached_statement_lifetime=0,
        server_settings=None if bouncer.present else settings(steady=steady),
    )
    try:
        check_version(connection.get_server_version().major, place)
    except BaseException:
        connection.terminate()
        raise
    return connection


def settings(*, steady: bool) -> dict[str, str]:
    """What a connection is set to."""
    return {**_PLAIN, **_STEADY} if steady else dict(_PLAIN)


def check_version(major: int, place: Place) -> None:
    """Raises `ConfigError` for a server that is too old."""
    if major < OLDEST:
        raise ConfigError(
            expected=f"PostgreSQL {OLDEST} or newer: {place}",
            found=f"PostgreSQL {major}",
            do="Use a newer server.",
        )


class Line:
    """One connection of a store. Works are done one after the other, each whole even when its caller is cancelled."""

    def __init__(self, place: Place, bouncer: Bouncer, *, steady: bool = True) -> None:
        self._place = place
        self._bouncer = bouncer
        self._steady = steady
        self._lock = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._closed = False
        self._was_idle = False

    async def run(self, work: Work[T]) -> T:
        """What `work` returns for the connection. Raises errors of the driver translated."""
        return await self._translated(self.attempt(work))

    async def run_in_transaction(self, work: Work[T]) -> T:
        """Like `run`, in a transaction that is taken back when `work` raises."""
        return await self._translated(self.transact(work))

    async def _translated(self, under_way: Awaitable[T]) -> T:
        try:
            return await under_way
        except DRIVER_ERRORS as error:
            raise translate(error, self._place) from error
        except (ValueError, TypeError, LookupError) as error:
            raise unreadable(error, self._place) from error

    async def attempt(self, work: Work[T]) -> T:
        """Like `run`, but raises the driver's own errors, for who has to judge them."""
        handed_over = asyncio.ensure_future(self._in_turn(work))
        handed_over.add_done_callback(_look_at)
        return await asyncio.shield(handed_over)

    async def transact(self, work: Work[T]) -> T:
        """Like `attempt`, in a transaction that is taken back when `work` raises."""

        async def whole(connection: asyncpg.Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self.attempt(whole)

    async def close(self) -> None:
        """Close the connection after what is under way; may be called twice."""
        self._closed = True
        async with self._lock:
            await self._drop()

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._lock:
            for repeat in range(_REPEATS):
                try:
                    return await self._once(work)
                except DRIVER_ERRORS as error:
                    if repeat == _REPEATS - 1 or not await self._may_repeat(error):
                        raise
                    # Whatever was sent is applied once, however often it is sent.
                await asyncio.sleep(0.005 * 2**repeat)
        raise AssertionError

    async def _may_repeat(self, error: Exception) -> bool:
        if is_bouncer(error) and not self._bouncer.present:
            self._bouncer.present = True
            await self._drop()
            return True
        if self._was_idle and is_connection_over(error) and not isinstance(error, TimeoutError):
            return True  # it may have been over for long, and nobody looked
        return is_passing(error)

    async def _once(self, work: Work[T]) -> T:
        connection = await self._open()
        try:
            if self._bouncer.present:
                return await _behind_a_bouncer(connection, work, settings(steady=self._steady))
            return await work(connection)
        except DRIVER_ERRORS as error:
            if is_connection_over(error):
                await self._drop(politely=False)
            raise

    async def _open(self) -> asyncpg.Connection:
        if self._closed:
            raise closed(self._place)
        self._was_idle = self._connection is not None and not self._connection.is_closed()
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._place, self._bouncer, steady=self._steady)
        return self._connection

    async def _drop(self, *, politely: bool = True) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await hang_up(connection, politely=politely)


async def hang_up(connection: asyncpg.Connection, *, politely: bool = True) -> None:
    """Close a connection within two seconds, whatever the server does."""
    if politely:
        with suppress(*DRIVER_ERRORS):
            await connection.close(timeout=2)
    if not connection.is_closed():
        connection.terminate()


async def _behind_a_bouncer(connection: asyncpg.Connection, work: Work[T], wanted: dict[str, str]) -> T:
    """In one transaction, which is what a PgBouncer keeps on one server connection, with the settings for it alone."""
    keys = [key for key in wanted if key != "default_transaction_isolation"]
    async with connection.transaction():
        await connection.fetch(
            "SELECT set_config(s.key, s.value, true) FROM unnest($1::text[], $2::text[]) AS s (key, value)",
            keys,
            [wanted[key] for key in keys],
        )
        return await work(connection)


def closed(place: Place) -> StoreUnavailable:
    """The error of a store that is used after `aclose`."""
    return StoreUnavailable(expected=f"the open database {place}", found="a closed store", do="Open a new store.")


def _look_at(handed_over: asyncio.Future[T]) -> None:
    """An error that nobody waits for any more needs no report."""
    if not handed_over.cancelled():
        handed_over.exception()
