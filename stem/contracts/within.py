"""What a store offers besides, where its changes can be part of a transaction that the caller holds open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from stem.contracts.changes import Change, Verdict
from stem.errors import UnusableConnection

__all__ = [
    "Joiner",
    "Joins",
    "Judge",
    "closed",
    "must_be_asynchronous",
    "must_be_blocking",
    "not_begun",
    "other_database",
    "spoiled",
    "unknown_kind",
]

T = TypeVar("T")
Judge = Callable[[Sequence[Verdict]], T]
"""What is made of the verdicts. When it raises, nothing of the changes stays in the transaction."""


class Joiner(Protocol):
    """Writes changes into transactions that callers hold open, over their connections. It never commits.

    All changes are part of the transaction, or, when an error is raised, none, and the transaction can go on as if
    nothing had been asked. What is committed is told to those who wait. Raises `UnusableConnection` for a connection
    that is of another kind or database, is closed, or has no transaction that could be joined; `StoreUnavailable` when
    the transaction of somebody else holds what is needed for more than the time that this connection waits for.
    """

    def write(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over a blocking connection, in this thread; what `judge` makes of the verdicts, in order."""
        ...

    async def write_async(self, connection: object, changes: Sequence[Change], judge: Judge[T]) -> T:
        """Over an asynchronous connection, on its event loop; what `judge` makes of the verdicts, in order."""
        ...


@runtime_checkable
class Joins(Protocol):
    """What a store offers besides, where others can have their own tables in its database."""

    async def joiner(self) -> Joiner:
        """A joiner for transactions of this database. Raises `StoreUnavailable` when the engine cannot be reached."""
        ...


def unknown_kind(kinds: str, connection: object) -> UnusableConnection:
    """The error for what is no connection, or none that this engine can write over."""
    return UnusableConnection(
        expected=kinds,
        found=f"{type(connection).__module__}.{type(connection).__qualname__}",
        do="Pass the connection or session in which your transaction is open.",
    )


def must_be_asynchronous(connection: object) -> UnusableConnection:
    """The error for a blocking connection in asynchronous code."""
    return UnusableConnection(
        expected="an asynchronous connection, because a blocking one would hold up the event loop",
        found=f"{type(connection).__module__}.{type(connection).__qualname__}",
        do="Use an asynchronous connection or session, or SyncStem in blocking code.",
    )


def must_be_blocking(connection: object) -> UnusableConnection:
    """The error for an asynchronous connection in blocking code."""
    return UnusableConnection(
        expected="a blocking connection, because nothing can be awaited here",
        found=f"{type(connection).__module__}.{type(connection).__qualname__}",
        do="Use Stem in asynchronous code; of an AsyncSession, pass what `run_sync` gives.",
    )


def closed(found: str = "a closed one") -> UnusableConnection:
    """The error for a connection that takes nothing any more."""
    return UnusableConnection(
        expected="an open connection", found=found, do="Do the transaction again on a new connection."
    )


def not_begun(do: str) -> UnusableConnection:
    """The error for a connection on which each statement is committed by itself."""
    return UnusableConnection(
        expected="a connection with an open transaction", found="one in autocommit, and no transaction begun", do=do
    )


def spoiled(found: str) -> UnusableConnection:
    """The error for a transaction that can only be rolled back."""
    return UnusableConnection(
        expected="a transaction that takes statements", found=found, do="Roll it back and do it again."
    )


def other_database(expected: str, found: str) -> UnusableConnection:
    """The error for a connection to where Stem's tasks are not."""
    return UnusableConnection(
        expected=f"a connection to the database of this Stem: {expected}",
        found=f"one to {found}",
        do="Give Stem the URL of your database, or enqueue without `connection=`.",
    )
