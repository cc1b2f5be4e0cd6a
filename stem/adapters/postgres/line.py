"""A line: one connection of a store for one kind of work, opened at first use, opened again after an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres.connection import Manner, Server, connect, hang_up
from stem.adapters.postgres.errors import (
    DRIVER_ERRORS,
    is_bouncer,
    is_connection_over,
    is_passing,
    is_read_only,
    not_now,
    translate,
    unreadable,
)
from stem.adapters.postgres.url import Place
from stem.errors import StoreUnavailable

__all__ = ["Line"]

T = TypeVar("T")
Work = Callable[[asyncpg.Connection], Awaitable[T]]

CLOSE_SECONDS: Final = 5.0
_REPEATS: Final = 6
_STEADY: Final = Manner()


class Line:
    """Works are done one after the other."""

    def __init__(self, place: Place, server: Server, manner: Manner = _STEADY) -> None:
        self._place = place
        self._server = server
        self._manner = manner
        self._lock = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None
        self._closed = False
        self._was_idle = False

    async def run(self, work: Work[T]) -> T:
        """What `work` returns for the connection; it is done whole even when the caller is cancelled.

        Raises errors of the driver translated.
        """
        return await self._handed_over(self.attempt(work))

    async def run_in_transaction(self, work: Work[T]) -> T:
        """Like `run`, in a transaction that is taken back when `work` raises."""
        return await self._handed_over(self.transact(work))

    async def _handed_over(self, under_way: Coroutine[object, object, T]) -> T:
        handed_over = asyncio.ensure_future(under_way)
        handed_over.add_done_callback(_look_at)
        try:
            return await asyncio.shield(handed_over)
        except DRIVER_ERRORS as error:
            raise translate(error, self._place) from error
        except (ValueError, TypeError, LookupError) as error:
            raise unreadable(error, self._place) from error

    async def attempt(self, work: Work[T]) -> T:
        """Like `run`, but raises the driver's own errors, for who has to judge them, in a task that nobody cancels.

        A server that took writes before and refuses them now is `StoreUnavailable` here too: that passes.
        """
        return await self._in_turn(work)

    async def transact(self, work: Work[T]) -> T:
        """Like `attempt`, in a transaction that is taken back when `work` raises."""

        async def whole(connection: asyncpg.Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self.attempt(whole)

    async def close(self) -> None:
        """Close the connection after what is under way, which has five seconds to end; may be called twice."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS), self._lock:
                await self._drop()
        except TimeoutError:
            await self._drop(politely=False)  # what waits for an answer fails with its connection

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._lock:
            for repeat in range(_REPEATS):
                try:
                    return await self._once(work)
                except DRIVER_ERRORS as error:
                    if repeat == _REPEATS - 1 or not await self._may_repeat(error):
                        self._raise_if_it_passes(error)
                        raise
                    # Whatever was sent is applied once, however often it is sent.
                await asyncio.sleep(0.005 * 2**repeat)
        raise AssertionError

    async def _may_repeat(self, error: Exception) -> bool:
        if is_bouncer(error) and not self._server.behind_bouncer:
            self._server.behind_bouncer = True
            await self._drop()
            return True
        if self._was_idle and is_connection_over(error) and not isinstance(error, TimeoutError):
            return True  # it may have been over for long, and nobody looked
        return is_passing(error)

    def _raise_if_it_passes(self, error: Exception) -> None:
        """While another server takes over, the old one or the new one may refuse writes for a while."""
        if self._server.took_writes and is_read_only(error):
            raise not_now(error, self._place) from error

    async def _once(self, work: Work[T]) -> T:
        connection = await self._open()
        try:
            if self._server.behind_bouncer:
                return await _behind_a_bouncer(connection, work, self._manner.settings)
            return await work(connection)
        except DRIVER_ERRORS as error:
            if is_connection_over(error):
                await self._drop(politely=False)
            raise

    async def _open(self) -> asyncpg.Connection:
        self._refuse_when_closed()
        self._was_idle = self._connection is not None and not self._connection.is_closed()
        if self._connection is None or self._connection.is_closed():
            connection = await connect(self._place, self._server, self._manner)
            try:
                self._refuse_when_closed()  # it may have been closed while this connected
            except StoreUnavailable:
                await hang_up(connection)
                raise
            self._connection = connection
        return self._connection

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise closed(self._place)

    async def _drop(self, *, politely: bool = True) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await hang_up(connection, politely=politely)


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
