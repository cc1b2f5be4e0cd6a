"""A connected handler, how it stands, and what is said of it in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from stem.clock import Clock, Micros
from stem.signals.calls import name_of
from stem.signals.events import Event

__all__ = ["Listener", "Sayer"]

SAY_EVERY: Final[Micros] = 10_000_000

_log: Final = logging.getLogger("stem.signals")


@dataclass(slots=True, eq=False)
class Listener:
    """A connected handler, and how it stands."""

    handler: Callable[[Any], object]
    is_async: bool
    accepts: Callable[[Event], bool]
    """Cheap, and ours: decides before an event is lined up."""
    where: Callable[[Any], bool] | None
    priority: int
    once: bool
    leave: Callable[[Listener], None]
    is_connected: bool = True
    missed: int = 0
    errors: int = 0
    goes_on: Callable[[], bool] | None = None
    """Whether a call that was given up has still not ended."""
    rests_until: Micros = 0
    said_at: Micros | None = None

    def cancel(self) -> None:
        """Hear nothing more."""
        if self.is_connected:
            self.is_connected = False
            self.leave(self)


class Sayer:
    """Writes to the log what listeners do wrong, and what is dropped: of each at most every 10 s."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at: Micros | None = None

    def wrong(self, listener: Listener, what: str, error: BaseException | None = None) -> None:
        """A handler or its predicate raised, or took too long."""
        listener.errors += 1
        now = self._clock.elapsed()
        if listener.said_at is None or now - listener.said_at >= SAY_EVERY:
            listener.said_at = now
            _log.warning(
                "handler %s: %s (%d times so far)", name_of(listener.handler), what, listener.errors, exc_info=error
            )

    def dropped(self, count: int) -> None:
        """There was no room for an event."""
        now = self._clock.elapsed()
        if self._said_at is None or now - self._said_at >= SAY_EVERY:
            self._said_at = now
            _log.warning("no room for more events: %d dropped so far", count)
