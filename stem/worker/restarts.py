"""How processes end, and when a supervisor starts one again: pure rules over how its predecessors ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Final

from stem.clock import Micros

__all__ = ["Deaths", "Life", "exit_reason"]

_GIVE_UP_AFTER: Final = 5
_SETTLED: Final[Micros] = 30_000_000
"""A process that lived so long is replaced as the first one that died."""
_FIRST_PAUSE: Final[Micros] = 500_000
_LONGEST_PAUSE: Final[Micros] = 30_000_000


@dataclass(frozen=True, slots=True)
class Life:
    """A worker process from its start to its end."""

    pid: int
    code: int
    """Its exit code, or the number of the signal that ended it, below zero."""
    lived: Micros
    was_ready: bool
    """Whether it came to work."""


@dataclass(frozen=True, slots=True)
class Deaths:
    """The deaths in a row of one worker and its successors."""

    soon: int = 0
    """Of processes that did not live long."""
    before_ready: int = 0
    """Of processes that never came to work. One that works and then dies, of a task perhaps, is always replaced."""

    def with_one(self, life: Life) -> Deaths:
        """And one more."""
        soon = 1 if life.lived >= _SETTLED else self.soon + 1
        return Deaths(soon, 0 if life.was_ready else self.before_ready + 1)

    @property
    def are_hopeless(self) -> bool:
        """Whether another start would not help."""
        return self.before_ready >= _GIVE_UP_AFTER

    @property
    def pause(self) -> Micros:
        """How long to wait before the next start: half a second, doubling up to half a minute."""
        return min(_FIRST_PAUSE << min(self.soon - 1, 10), _LONGEST_PAUSE)


def exit_reason(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
