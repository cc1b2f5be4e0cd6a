"""Middleware that the worker's tests put around attempts."""

from __future__ import annotations

import asyncio
import contextvars

from stem.signals import Attempt, Instead, NextAttempt, NextEnqueue
from stem.tasks.call import TaskCall

__all__ = ["Around", "Breaks", "Decides", "Hangs", "Skips", "Tenant", "tenant"]

tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="nobody")


class Around:
    """Writes down what it sees."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        self.notes.append(f"{self.name} before {attempt.attempt}")
        try:
            await call_next()
        finally:
            self.notes.append(f"{self.name} after")


class Tenant:
    """Sets a context variable from a header, and the header from the variable."""

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        token = tenant.set(attempt.headers.get("tenant", "none"))
        try:
            await call_next()
        finally:
            tenant.reset(token)

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        await call_next(call.with_headers({"tenant": tenant.get()}) if tenant.get() != "nobody" else call)


class Breaks:
    """Raises around the attempt, where it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        if self.where == "before":
            raise KeyError("span")
        try:
            await call_next()
        except Exception:
            if self.where == "on error":
                raise KeyError("span") from None
            if self.where != "swallows":
                raise
        if self.where == "after":
            raise KeyError("span")
        if self.where == "twice":
            await call_next()


class Skips:
    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        return


class Hangs:
    """Waits for ever, where it is told to; `deaf` does so whatever cancels it, and then goes on."""

    def __init__(self, where: str, *, deaf: bool = False) -> None:
        self.where = where
        self.deaf = deaf
        self.released = asyncio.Event()

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        if self.where == "before":
            await self._hang()
        try:
            await call_next()
        finally:
            if self.where == "after":
                await self._hang()

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        if self.where == "follow" and call.name == "tests.add":
            await self._hang()
        await call_next(call)

    async def _hang(self) -> None:
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                if not self.deaf:
                    raise


class Decides:
    """Answers with what it was made with."""

    def __init__(self, answer: Instead | BaseException | str | None) -> None:
        self.answer = answer
        self.seen: list[str] = []

    async def on_error(self, attempt: Attempt, error: Exception) -> Instead | None:
        self.seen.append(f"{attempt.task}: {error}")
        if isinstance(self.answer, BaseException):
            raise self.answer
        if self.answer == "hang":
            await asyncio.Event().wait()
        return self.answer  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - wrong on purpose
