"""How handlers are checked and called: `async def` on the loop, `def` in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias, TypeVar, cast

from stem.errors import ConfigError

__all__ = ["CallThread", "check_takes", "error_of", "is_async", "name_of"]

T = TypeVar("T")

_Work: TypeAlias = "Callable[[], None] | None"


def name_of(handler: object) -> str:
    """How logs and errors call it: `module.function`, or the class of an object."""
    named = handler.func if isinstance(handler, partial) else handler
    name = getattr(named, "__qualname__", None) or type(named).__qualname__
    return f"{getattr(named, '__module__', None) or type(named).__module__}.{name}"


def is_async(handler: object) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004 - it is inspected, not asked for


def check_takes(handler: object, number: int, *, expected: str, do: str) -> None:
    """Raises `ConfigError` for what cannot be called with that many positional arguments, and for a generator."""
    if not callable(handler):
        raise ConfigError(expected=expected, found=repr(handler), do=do)
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise ConfigError(expected=expected, found=f"the generator {name_of(handler)}", do=do)
    try:
        signature = inspect.signature(handler)
    except ValueError:  # some of Python's own functions do not tell
        return
    try:
        signature.bind(*(object() for _ in range(number)))
    except TypeError as error:
        raise ConfigError(expected=expected, found=f"{name_of(handler)}{signature}: {error}", do=do) from None


async def error_of(call: Callable[[], object]) -> BaseException | None:
    """What the call raises, and what it gives to await: as a value, so that `SystemExit` does not end the loop."""
    try:
        value = call()
        while inspect.isawaitable(value):
            value = cast("object", await value)
    except GeneratorExit:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return error
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the handler's, and stays there
        return error
    return None


class CallThread:
    """One daemon thread for what is called one after the other: the end of a process does not wait for it."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work] = SimpleQueue()
        threading.Thread(target=self._run, name="stem-signals", daemon=True).start()

    def call(self, call: Callable[[], T]) -> Future[T]:
        """Its value, or its error."""
        future: Future[T] = Future()
        self._work.put(partial(_finish, future, call))
        return future

    def end(self) -> None:
        """Let it end after what it does now; does not wait."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _finish(future: Future[T], call: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # who waits for the value gets it
            future.set_exception(error)
