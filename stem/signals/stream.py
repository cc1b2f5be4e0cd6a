"""Events as an iterator: bounded, and the oldest are dropped first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Self

from stem.errors import ConfigError
from stem.signals.events import Event
from stem.signals.hub import Signals

__all__ = ["EventStream", "stream_of"]


class EventStream:
    """What happens, from when it was opened, in order. Ends after the last event that there can be.

    A reader that is slow loses the oldest events: `missed` counts them.
    """

    def __init__(self, limit: int, is_last: Callable[[Event], bool]) -> None:
        self.missed = 0
        self._found: deque[Event] = deque(maxlen=limit)
        self._news = asyncio.Event()
        self._is_last = is_last
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._found:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._found.popleft()

    def put(self, event: Event) -> None:
        """Add an event; on the loop of its reader."""
        self.missed += len(self._found) == self._found.maxlen
        self._found.append(event)
        self._ended = self._ended or self._is_last(event)
        self._news.set()


@asynccontextmanager
async def stream_of(
    signals: Signals, *, holds: Callable[[Event], bool], is_last: Callable[[Event], bool], limit: int
) -> AsyncGenerator[EventStream]:
    """The events for which `holds`, up to and with the one that `is_last`. Raises `ConfigError` for a limit below 1."""
    if limit < 1:
        raise ConfigError(expected="a `limit` of 1 or more events", found=repr(limit), do="Leave it out for 1,000.")
    stream = EventStream(limit, is_last)

    def sink(event: Event) -> None:
        if holds(event):
            stream.put(event)

    end = signals.tap(sink)
    try:
        yield stream
    finally:
        end()
