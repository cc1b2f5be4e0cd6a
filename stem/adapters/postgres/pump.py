"""Statements apart from who sends them: a coroutine asks for rows, and a pump fetches them, blocking or not. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any, TypeVar, cast

import asyncpg

__all__ = ["Asking", "Rows", "Statement", "pump", "pump_async"]

T = TypeVar("T")
Rows = list[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Statement:
    """A text with numbered parameters, and their values."""

    text: str
    values: tuple[object, ...]


class Asking:
    """Stands for a connection in code that is pumped."""

    async def fetch(self, query: str, /, *args: object) -> Rows:
        """The rows that the pump brings."""
        return await _ask(Statement(query, args))


@coroutine
def _ask(statement: Statement) -> Generator[Statement, Rows, Rows]:
    return (yield statement)


async def pump_async(work: Coroutine[Any, Any, T], fetch: Callable[[Statement], Awaitable[Rows]]) -> T:
    """What `work` returns, when `fetch` answers what it asks.

    Errors of `fetch`, and the cancellation of the caller, are raised inside `work` where it asked.
    """
    step: Callable[[], Statement] = partial(work.send, None)
    while True:
        try:
            statement = step()
        except StopIteration as end:
            return cast("T", end.value)
        try:
            step = partial(work.send, await fetch(statement))
        except BaseException as error:  # noqa: BLE001  # it is raised inside `work`
            step = partial(work.throw, error)


def pump(work: Coroutine[Any, Any, T], fetch: Callable[[Statement], Rows]) -> T:
    """Like `pump_async`, for a `fetch` that blocks."""

    async def fetch_now(statement: Statement) -> Rows:
        return fetch(statement)

    try:
        pump_async(work, fetch_now).send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("it waited for something that is not a statement")
