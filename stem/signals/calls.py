"""How handlers are checked and called: `async def` on the loop, `def` in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Final, TypeAlias, cast

from stem.errors import ConfigError

__all__ = ["Calls", "Running", "check_takes", "is_async", "name_of"]

_Work: TypeAlias = "tuple[Future[object], Callable[[], object]] | None"
_SIGNALS: Final = "stem-signals"


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


@dataclass(frozen=True, slots=True)
class Running:
    """A call under way. Its task ends with the handler's error, or `None`."""

    task: asyncio.Task[BaseException | None]
    thread: Future[object] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the handler's code has ended; a thread goes on after its call was given up."""
        return self.task.done() and (self.thread is None or self.thread.done())


class Calls:
    """Begins calls, one at a time. A thread whose call is given up is left alone, and the next call gets another."""

    def __init__(self) -> None:
        self._thread: _Thread | None = None

    def begin(self, handler: Callable[[object], object], argument: object) -> Running:
        """Call it; on the running loop."""
        loop = asyncio.get_running_loop()
        if is_async(handler):
            return Running(loop.create_task(_error_of(handler, argument)))
        if self._thread is None:
            self._thread = _Thread()
        inside = self._thread.call(partial(handler, argument))
        return Running(loop.create_task(_error_of(asyncio.wrap_future, inside)), inside)

    def give_up(self, running: Running) -> None:
        """Wait for it no longer: a coroutine is cancelled, a thread keeps its call for itself."""
        running.task.cancel()
        if running.thread is not None and not running.thread.done():
            self.close()

    def close(self) -> None:
        """Let the thread end when its call has ended."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end()


async def _error_of(handler: Callable[..., object], argument: object) -> BaseException | None:
    """What the handler raised: a value, so that not even `SystemExit` goes through the loop."""
    try:
        value = handler(argument)
        while inspect.isawaitable(value):  # a `def` may give a coroutine back
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


class _Thread:
    """One daemon thread: the end of a process does not wait for what hangs in it."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work] = SimpleQueue()
        threading.Thread(target=self._run, name=_SIGNALS, daemon=True).start()

    def call(self, call: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        self._work.put((future, call))
        return future

    def end(self) -> None:
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, call = work
            if future.set_running_or_notify_cancel():
                _finish(future, call)


def _finish(future: Future[object], call: Callable[[], object]) -> None:
    try:
        future.set_result(call())
    except StopIteration as error:  # which no future of asyncio carries
        future.set_exception(RuntimeError(f"the handler raised {error!r}"))
    except BaseException as error:  # noqa: BLE001  # it is the handler's error, not the thread's
        future.set_exception(error)
