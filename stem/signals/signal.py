"""A signal: where the listeners of one kind of event are connected."""

from __future__ import annotations

import fnmatch
import re
import threading
from collections.abc import Callable
from dataclasses import fields
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar, overload

from stem.errors import ConfigError
from stem.signals.calls import check_takes, is_async, name_of
from stem.signals.events import Event
from stem.signals.line import Line
from stem.signals.listener import Listener

__all__ = ["Connection", "Handler", "Signal"]

E = TypeVar("E", bound=Event)
E_contra = TypeVar("E_contra", bound=Event, contravariant=True)

_TAKES_ONE: Final = "Write `def handler(event): ...` or `async def handler(event): ...`."


class Handler(Protocol[E_contra]):
    """What listens: `def` or `async def`, with the event as its one argument. What it gives back is passed over."""

    def __call__(self, event: E_contra, /) -> object: ...


class Connection(Generic[E]):
    """A handler's place at a signal, until `cancel` or the end of its `with` block."""

    def __init__(self, handler: Handler[E], listener: Listener) -> None:
        self.handler: Final = handler
        self._listener: Final = listener

    def __repr__(self) -> str:
        return f"Connection({name_of(self.handler)}, {'connected' if self.is_connected else 'ended'})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    @property
    def is_connected(self) -> bool:
        """Whether it hears what happens."""
        return self._listener.is_connected

    @property
    def missed(self) -> int:
        """How many events passed it by, because it had taken too long for an earlier one."""
        return self._listener.missed

    @property
    def errors(self) -> int:
        """How many of its calls raised, or took too long."""
        return self._listener.errors

    def cancel(self) -> None:
        """Hear nothing more, not even what is on its way; may be called twice, and from any thread."""
        self._listener.cancel()


class Signal(Generic[E]):
    """One kind of event. Connect to it before or after the client is opened, from any thread."""

    def __init__(self, event: type[E], line: Line, changed: Callable[[], None]) -> None:
        self.event: Final = event
        self.heard = False
        """Whether anybody listens: an event that nobody hears need not be made."""
        self._line = line
        self._changed = changed
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def __repr__(self) -> str:
        return f"Signal({self.event.__name__}, {len(self._listeners)} connected)"

    @property
    def is_connected(self) -> bool:
        """Whether any handler is connected."""
        return bool(self._listeners)

    @overload
    def connect(
        self,
        handler: Handler[E],
        /,
        *,
        task: str | None = None,
        queue: str | None = None,
        worker: str | None = None,
        where: Callable[[E], bool] | None = None,
        priority: int = 0,
        once: bool = False,
    ) -> Connection[E]: ...
    @overload
    def connect(
        self,
        /,
        *,
        task: str | None = None,
        queue: str | None = None,
        worker: str | None = None,
        where: Callable[[E], bool] | None = None,
        priority: int = 0,
        once: bool = False,
    ) -> Callable[[Handler[E]], Connection[E]]: ...
    def connect(
        self,
        handler: Handler[E] | None = None,
        /,
        *,
        task: str | None = None,
        queue: str | None = None,
        worker: str | None = None,
        where: Callable[[E], bool] | None = None,
        priority: int = 0,
        once: bool = False,
    ) -> Connection[E] | Callable[[Handler[E]], Connection[E]]:
        """Call `handler` with each event from now on; without one, a decorator whose result is the connection.

        `task`, `queue` and `worker` are names, in which `*`, `?` and `[abc]` match as in file names; `where` is asked
        after them, where the handler runs, and has to be quick. A higher `priority` is called earlier, and ends before
        the next one is called. `once`: the first event that fits is the last one.

        A handler may take 5 s for an event. One that raises is logged. Raises `ConfigError` for what cannot be called
        with an event, and for a filter of something that these events do not name.
        """
        accepts = self._filter({"task": task, "queue": queue, "worker": worker})
        if where is not None:
            check_takes(where, 1, expected="`where` to take the event", do="Write `where=lambda event: ...`.")
            _must_be_plain(where)

        def join(handler: Handler[E]) -> Connection[E]:
            check_takes(handler, 1, expected="a handler that takes the event, and nothing else", do=_TAKES_ONE)
            listener = Listener(handler, is_async(handler), accepts, where, priority, once, self._leave)
            self._join(listener)
            return Connection(handler, listener)

        return join if handler is None else join(handler)

    def tell(self, event: E) -> None:
        """Line the event up for those who listen and whose filters it passes."""
        listeners = [listener for listener in self._listeners if listener.accepts(event)]
        if listeners:
            self._line.put(event, listeners)

    def _filter(self, wanted: dict[str, str | None]) -> Callable[[Event], bool]:
        patterns = {name: re.compile(fnmatch.translate(glob)) for name, glob in wanted.items() if glob is not None}
        unknown = sorted(patterns.keys() - {field.name for field in fields(self.event)})
        if unknown:
            raise ConfigError(
                expected=f"filters of what a {self.event.__name__} names",
                found=f"`{unknown[0]}`",
                do="Leave it out, or use `where=`.",
            )
        if not patterns:
            return _everything
        return lambda event: all(pattern.match(getattr(event, name)) for name, pattern in patterns.items())

    def _join(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(sorted((*self._listeners, listener), key=_rank))
        self._changed()

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(each for each in self._listeners if each is not listener)
        self._changed()


def _rank(listener: Listener) -> int:
    return -listener.priority


def _everything(_: Event) -> bool:
    return True


def _must_be_plain(where: Callable[[Any], bool]) -> None:
    if is_async(where):
        raise ConfigError(
            expected="`where` to answer at once", found=f"the coroutine function {name_of(where)}", do="Use a `def`."
        )
