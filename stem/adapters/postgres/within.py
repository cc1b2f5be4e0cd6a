"""Changes as part of a transaction that the caller holds open, by the statements with which the store writes them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres.alone import TakenBack
from stem.adapters.postgres.apply import write_kind
from stem.adapters.postgres.drivers import async_sender, blocking_sender
from stem.adapters.postgres.errors import DRIVER_ERRORS, is_guilty, translate
from stem.adapters.postgres.plan import waves
from stem.adapters.postgres.pump import Asking, pump, pump_async
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.url import Place
from stem.contracts.changes import Change, Verdict
from stem.contracts.wellformed import refuse
from stem.contracts.within import Judge, other_database, spoiled
from stem.errors import EnqueueError, StemError, UnusableConnection

__all__ = ["PostgresJoiner"]

T = TypeVar("T")

PATIENCE: Final = "1s"
"""For how long a lock is waited for: as long as by the store itself."""
_FAILED_BEFORE: Final = "25P02"
_NO_RIGHT: Final = "42501"
_PASSING: Final = "40"
_GRANT: Final = (
    "GRANT USAGE ON SCHEMA {schema}, and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema}, to this user."
)


@dataclass(frozen=True, slots=True)
class PostgresJoiner:
    """`stem.contracts.within.Joiner` for one schema.

    `home` tells the server and the database from all others. `book` sends notices under a name that no store has, so
    that the listeners of this process hear of the commit like all others.
    """

    place: Place
    book: Book
    home: str
    largest: int

    def write(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over a blocking connection of psycopg, in this thread."""
        with self._translated():
            send = blocking_sender(connection)
            return pump(self._write(changes, judge), send)

    async def write_async(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over a connection of asyncpg, or an asynchronous one of psycopg."""
        with self._translated():
            send = async_sender(connection)
            return await pump_async(self._write(changes, judge), send)

    async def _write(self, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Everything under one savepoint, so that the caller's transaction survives whatever is raised."""
        asking = Asking()
        await asking.fetch("SAVEPOINT stem_enqueue")
        try:
            patience = await self._enter(asking)
            made = judge(await self._apply(asking, changes))
            await self.book.fetch(asking, "leave", patience=patience)
        except BaseException:
            with suppress(*DRIVER_ERRORS):
                await asking.fetch("ROLLBACK TO SAVEPOINT stem_enqueue")
                await asking.fetch("RELEASE SAVEPOINT stem_enqueue")
            raise
        await asking.fetch("RELEASE SAVEPOINT stem_enqueue")
        return made

    async def _enter(self, asking: Asking) -> str:
        """See that this is our database, and set for how long locks are waited for; what was set before."""
        (row,) = await self.book.fetch(asking, "join", patience=PATIENCE)
        if row["home"] != self.home:
            raise other_database(str(self.place), f"'{row['database']}' on {row['server']}")
        return str(row["patience"])

    async def _apply(self, asking: Asking, changes: Sequence[Change]) -> list[Verdict]:
        refusals = {place: refuse(change, self.largest) for place, change in enumerate(changes)}
        verdicts = {place: refused for place, refused in refusals.items() if refused is not None}
        sound = [(place, change) for place, change in enumerate(changes) if place not in verdicts]
        done: dict[int, Verdict] = dict(verdicts)
        for wave in waves(sound):
            for kind, places in wave.members.items():
                try:
                    answers, _ = await write_kind(asking, self.book, kind, [changes[place] for place in places])
                except TakenBack as back:
                    answers = [back.verdict]
                done.update(zip(places, answers, strict=True))
        return [done[place] for place in range(len(changes))]

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise _translate(error, self.place) from error


def _translate(error: Exception, place: Place) -> StemError:
    state = (error.sqlstate or "") if isinstance(error, asyncpg.PostgresError) else ""
    if state == _FAILED_BEFORE:
        return spoiled("one in which a statement has failed before")
    if state.startswith(_PASSING):
        return spoiled(str(error))
    if state == _NO_RIGHT:
        return UnusableConnection(
            expected="a user who may write Stem's tables", found=str(error), do=_GRANT.format(schema=place.schema)
        )
    if is_guilty(error):
        return EnqueueError(expected="tasks that the store can hold", found=str(error), do="Correct what they hold.")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return spoiled(str(error))
    return translate(error, place)
