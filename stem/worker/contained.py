"""Errors as values: what ends a loop when a task of it ends that way, and what comes too late to count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

__all__ = ["Raised", "contain", "seen", "value_of"]


@dataclass(frozen=True, slots=True)
class Raised:
    """An error as a value."""

    error: BaseException


async def contain(work: Awaitable[object]) -> object:
    """What is awaited, but `SystemExit` and `KeyboardInterrupt` as values: a task that ends with one ends its loop."""
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        return Raised(error)


def value_of(outcome: object) -> object:
    """The value that was contained, or its error raised."""
    if isinstance(outcome, Raised):
        raise outcome.error
    return outcome


def seen(work: asyncio.Task[object]) -> None:
    """What it raises comes too late to count, and is no mistake of the program."""
    if not work.cancelled():
        work.exception()
