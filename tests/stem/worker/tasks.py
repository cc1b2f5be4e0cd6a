"""The tasks that the worker's tests run."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from datetime import timedelta

from pydantic import BaseModel, field_serializer

from stem import Retry, TaskContext, task, upcast

__all__ = [
    "Gate",
    "Gates",
    "Unserializable",
    "add",
    "counts_in_context",
    "early",
    "fails",
    "gates",
    "gives_up",
    "holds",
    "holds_thread",
    "long_lease",
    "moved",
    "plain",
    "quits",
    "self_cancels",
    "stops_iterating",
    "unserializable",
    "wrong_result",
]


class Gate:
    """Holds a handler until the test opens it, and counts who came in."""

    def __init__(self) -> None:
        self.entered = 0
        self.left = 0
        self._open = threading.Event()
        self._loop_open: asyncio.Event | None = None

    def open(self) -> None:
        self._open.set()
        if self._loop_open is not None:
            self._loop_open.set()

    async def passing(self) -> None:
        self._loop_open = self._loop_open or asyncio.Event()
        self.entered += 1
        await self._loop_open.wait()
        self.left += 1

    def passing_in_thread(self) -> None:
        self.entered += 1
        self._open.wait()
        self.left += 1


class Gates:
    """The gate of the running test."""

    def __init__(self) -> None:
        self.gate = Gate()


gates = Gates()


@task(name="tests.add")
async def add(a: int, b: int) -> int:
    return a + b


@task(name="tests.plain")
def plain(a: int) -> str:
    return f"{a} on {threading.current_thread().name.rpartition('_')[0]}"


@task(name="tests.fails", retry=Retry(initial=timedelta(seconds=2), jitter=0.0))
async def fails() -> None:
    raise ValueError("no such card")


@task(name="tests.gives_up", retry=Retry(give_up_on=(ValueError,)))
def gives_up() -> None:
    raise ValueError("no such card")


@task(name="tests.quits", max_retries=0)
async def quits() -> None:
    raise SystemExit(3)


@task(name="tests.self_cancels", max_retries=0)
async def self_cancels() -> None:
    raise asyncio.CancelledError


@task(name="tests.stops_iterating", max_retries=0)
def stops_iterating() -> None:
    raise StopIteration


@task(name="tests.holds")
async def holds() -> str:
    await gates.gate.passing()
    return "through"


@task(name="tests.holds_thread")
def holds_thread(ctx: TaskContext) -> str:
    gates.gate.passing_in_thread()
    return f"cancelled {ctx.cancelled}"


@task(name="tests.early", ack="early")
async def early() -> str:
    await gates.gate.passing()
    return "once"


class Unserializable(BaseModel):
    number: int

    @field_serializer("number")
    def _never(self, value: int) -> int:
        raise RuntimeError(f"no {value}")


@task(name="tests.unserializable")
async def unserializable() -> Unserializable:
    return Unserializable(number=1)


def _anything(value: object) -> Callable[[], int]:
    return lambda: value  # type: ignore[return-value]  # a handler that breaks its own annotation


@task(name="tests.wrong_result")
async def wrong_result() -> int:
    return _anything("not a number")()


@task(name="tests.long_lease", lease=timedelta(seconds=60), aliases=("tests.long_lease_once",))
async def long_lease() -> None:
    await gates.gate.passing()


@task(name="tests.moved", version=3)
async def moved(euros: int) -> int:
    return euros


@upcast(moved, from_version=1)
def moved_from_1(cents: int) -> int:
    return cents // 100


@upcast(moved, from_version=2)
def moved_from_2(euros: int) -> int:
    raise LookupError("no rate for this day")


_counted: contextvars.ContextVar[int] = contextvars.ContextVar("counted", default=0)


@task(name="tests.counts_in_context")
async def counts_in_context() -> int:
    _counted.set(_counted.get() + 1)
    return _counted.get()
