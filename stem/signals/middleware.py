"""Middleware: three protocols of one method each, around what a client enqueues and what a worker runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, TypeAlias

from stem.errors import ConfigError
from stem.signals.calls import check_takes, is_async
from stem.tasks.call import TaskCall

__all__ = [
    "AroundAttempt",
    "Attempt",
    "GiveUp",
    "Instead",
    "Middleware",
    "NextAttempt",
    "NextEnqueue",
    "OnEnqueue",
    "OnError",
    "RetryLater",
    "Stack",
    "stack_of",
]

NextEnqueue: TypeAlias = Callable[[TaskCall[object]], Awaitable[None]]
NextAttempt: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The attempt that middleware is around."""

    task_id: str
    task: str
    """The task's name."""
    queue: str
    worker: str
    attempt: int
    """0-based: 0 in the first attempt."""
    max_retries: int
    fence: int
    """Grows with every lease of this task."""
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Run the task again after `delay` (its own backoff when not given), as long as it has attempts left."""

    delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make no further attempt: the task is failed, and buried with the error of this one."""


Instead: TypeAlias = RetryLater | GiveUp
"""What may be decided of an attempt that failed, other than what the task's own `retry` says."""


class OnEnqueue(Protocol):
    """Sees every call before it is stored: one, each of many, and what a task enqueues or follows up."""

    async def on_enqueue(self, call: TaskCall[object], next: NextEnqueue, /) -> None:  # noqa: A002 - the public name of it
        """Pass on the call, or another one: `await next(call.with_headers({...}))`.

        What is raised here refuses it: nothing is stored, and who enqueues gets an `EnqueueRefused` with this as its
        cause. It is stored when all middleware has returned.
        """
        ...


class AroundAttempt(Protocol):
    """Is around each call of a handler."""

    async def around_attempt(self, attempt: Attempt, next: NextAttempt, /) -> None:  # noqa: A002 - the public name of it
        """Run the handler: `await next()`, which raises what the handler raises.

        What the handler did stands, whatever is made of it here. Context variables that are set here are seen by the
        handler, also in its thread. What is raised here otherwise fails the attempt with `MiddlewareFailed`.
        """
        ...


class OnError(Protocol):
    """Is told of each attempt that failed, before what becomes of the task is decided."""

    async def on_error(self, attempt: Attempt, error: Exception, /) -> Instead | None:
        """`None` leaves it to the next one, and at last to the task's `retry`; otherwise the first answer counts.

        It has 5 s. What is raised here is logged, and changes nothing.
        """
        ...


Middleware: TypeAlias = OnEnqueue | AroundAttempt | OnError

_METHODS: Final = {"on_enqueue": "OnEnqueue", "around_attempt": "AroundAttempt", "on_error": "OnError"}
_DO: Final = "Give it one of these methods, as `async def`; they are in stem.signals.middleware."


@dataclass(frozen=True, slots=True)
class Stack:
    """The middleware of one client by what it takes part in, the outermost first."""

    on_enqueue: tuple[OnEnqueue, ...] = ()
    around: tuple[AroundAttempt, ...] = ()
    on_error: tuple[OnError, ...] = ()


def stack_of(middleware: Sequence[Middleware]) -> Stack:
    """Sort it by protocol; an object may implement several. Raises `ConfigError` for one that implements none."""
    found: dict[str, list[object]] = {method: [] for method in _METHODS}
    for each in middleware:
        for method in _methods(each):
            found[method].append(each)
    return Stack(*(tuple(objects) for objects in found.values()))  # type: ignore[arg-type]  # looked at one by one


def _methods(middleware: object) -> list[str]:
    """The methods of the protocols that it has."""
    methods = [method for method in _METHODS if hasattr(middleware, method)]
    if isinstance(middleware, type) or not methods:
        raise _unknown(repr(middleware))
    for method in methods:
        bound = getattr(middleware, method)
        if not is_async(bound):
            raise _unknown(f"{type(middleware).__qualname__}.{method}, which is no `async def`")
        check_takes(bound, 2, expected=f"`{method}` to take two arguments", do=_DO)
    return methods


def _unknown(found: str) -> ConfigError:
    protocols = ", ".join(f"{name} ({method})" for method, name in _METHODS.items())
    return ConfigError(expected=f"middleware: an object that is one of {protocols}", found=found, do=_DO)
