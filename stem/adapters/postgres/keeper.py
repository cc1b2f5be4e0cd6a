"""The renewer of leases: blocking, with a connection and an event loop of its own, for one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres.connection import Manner, Server
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.rows import columns
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.url import Place
from stem.contracts.store import LeaseVerdict, Renewal

__all__ = ["PostgresKeeper"]

T = TypeVar("T")

PATIENCE: Final = 3.0
"""Seconds for an answer, and for a connection: a lease of ten seconds is asked for again twice before it is over."""
_COLUMNS: Final = ("task", "nonce", "counter", "lease")


class PostgresKeeper:
    """Renews leases in place. The connection is opened at the first use, and anew after an error.

    The driver speaks only to event loops, so the keeper runs a private one, just as long as a call lasts.
    """

    def __init__(self, place: Place, server: Server, book: Book) -> None:
        self._place = place
        self._server = server
        self._book = book
        self._runner: asyncio.Runner | None = None
        self._line: Line | None = None

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """One verdict per renewal, in order; all of them are extended by one statement.

        Raises `StoreUnavailable` when the server cannot be reached or rows stay locked; the next call connects again.
        """
        if not renewals:
            return []
        return self._run(lambda: self._renew(renewals))

    def close(self) -> None:
        """Give the connection back; may be called twice."""
        runner, self._runner = self._runner, None
        line, self._line = self._line, None
        if runner is not None and line is not None:
            _without_loop(lambda: runner.run(line.close()))
            _without_loop(runner.close)

    def _run(self, make: Callable[[], Coroutine[object, object, T]]) -> T:
        runner = self._runner = self._runner or asyncio.Runner()
        return _without_loop(lambda: runner.run(make()))

    async def _renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        line = self._line = self._line or Line(self._place, self._server, Manner(name="stem keeper", patience=PATIENCE))
        rows = sorted((r.fence.task_id, r.fence.nonce, r.fence.counter, r.lease) for r in renewals)

        async def work(connection: asyncpg.Connection) -> list[asyncpg.Record]:
            return await self._book.fetch(connection, "renew", **columns(_COLUMNS, rows))

        found = {(row[0], row[1], row[2]): _verdict(row[3], row[4]) for row in await line.run(work)}
        fences = ((r.fence.task_id, r.fence.nonce, r.fence.counter) for r in renewals)
        return [found.get(fence, LeaseVerdict.LOST) for fence in fences]


def _verdict(cancel: bool, terminate: bool) -> LeaseVerdict:
    if terminate:
        return LeaseVerdict.TERMINATE
    return LeaseVerdict.CANCEL if cancel else LeaseVerdict.KEPT


def _without_loop(call: Callable[[], T]) -> T:
    """The call's value; in another thread where this one is inside an event loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    values: list[T] = []
    thread = threading.Thread(target=lambda: values.append(call()))
    thread.start()
    thread.join()
    return values[0]
