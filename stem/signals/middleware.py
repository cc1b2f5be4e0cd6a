"""Middleware: three protocols of one method each, around what a client enqueues and what a worker runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, TypeAlias, runtime_checkable

from stem.errors import ConfigError
from stem.signals.calls import check_takes, is_async
from stem.tasks.call import TaskCall
from stem.tasks.status import Failure

__all__ = [
    "NO_MIDDLEWARE",
    "AroundAttempt",
    "Attempt",
    "GiveUp",
    "Instead",
    "Middleware",
    "NextAttempt",
    "NextEnqueue",
    "OnEnqueue",
    "OnError",
    "RaisedElsewhere",
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


class RaisedElsewhere(Exception):
    """What a handler raised in a process of its own, where its class stays; `failure` is what is recorded of it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Run the task again after `delay` (its own backoff when not given), as long as it has attempts left."""

    delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make no further attempt: the task is failed, and buried with the error of this one."""


Instead: TypeAlias = RetryLater | GiveUp
"""What may be decided of an attempt that failed, other than what the task's own `retry` says."""


@runtime_checkable
class OnEnqueue(Protocol):
    """Sees every call before it is stored: one, each of many, and what a task enqueues or follows up."""

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue, /) -> None:
        """Pass on the call, or another one: `await call_next(call.with_headers({...}))`.

        What is raised here refuses it: nothing is stored, and who enqueues gets an `EnqueueRefused` with this as its
        cause. It is stored when all middleware has returned.
        """
        ...


@runtime_checkable
class AroundAttempt(Protocol):
    """Is around each call of a handler."""

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt, /) -> None:
        """Run the handler: `await call_next()`, which raises what the handler raises.

        What the handler did stands, whatever is made of it here. Context variables that are set here are seen by the
        handler, also in its thread. What is raised here otherwise fails the attempt with `MiddlewareFailed`.
        """
        ...


@runtime_checkable
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


NO_MIDDLEWARE: Final = Stack()


def stack_of(middleware: Sequence[Middleware]) -> Stack:
    """Sort it by protocol; an object may implement several. Raises `ConfigError` for one that implements none."""
    for each in middleware:
        _check(each)
    return Stack(
        on_enqueue=tuple(each for each in middleware if isinstance(each, OnEnqueue)),
        around=tuple(each for each in middleware if isinstance(each, AroundAttempt)),
        on_error=tuple(each for each in middleware if isinstance(each, OnError)),
    )


def _check(middleware: object) -> None:
    methods = [method for method in _METHODS if hasattr(middleware, method)]
    if isinstance(middleware, type) or not methods:
        raise _unknown(repr(middleware))
    for method in methods:
        bound = getattr(middleware, method)
        if not is_async(bound):
            raise _unknown(f"{type(middleware).__qualname__}.{method}, which is no `async def`")
        check_takes(bound, 2, expected=f"`{method}` to take two arguments", do=_DO)


def _unknown(found: str) -> ConfigError:
    protocols = ", ".join(f"{name} ({method})" for method, name in _METHODS.items())
    return ConfigError(expected=f"middleware: an object that is one of {protocols}", found=found, do=_DO)
