"""How many a task may start in a time, as numbers with which every window holds. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stem.clock import Micros
from stem.errors import ConfigError

__all__ = ["Rate", "grant", "opens_at", "parse_rate", "tokens"]

_PERIODS: Final = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/([smh])", re.ASCII)
_SLACK: Final = 40
"""One part in so many of the period is given up, so that whoever comes late by as much loses nothing."""
_SHORTEST: Final[Micros] = 2
"""Of one start. Intervals are whole microseconds: what is not much longer than one loses more than the slack."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One start each `interval`, where up to `tolerance` of lateness may be made up for.

    The generic cell rate algorithm (ITU-T I.371): with `interval = (period + tolerance) / count` no half-open window of
    one period holds more than `count` starts, wherever it begins. What is given up for that is one part in 41.
    """

    interval: Micros
    tolerance: Micros


def parse_rate(text: str) -> Rate:
    """The rate of "10/s", "100/m" or "1000/h". Raises `ConfigError` for any other text."""
    found = _RATE.fullmatch(text)
    if found is not None:
        count, period = int(found[1]), _PERIODS[found[2]]
        if count * _SHORTEST <= period:
            tolerance = period // _SLACK
            return Rate(-(-(period + tolerance) // count), tolerance)
    raise ConfigError(
        expected="`rate_limit` to be so many for each second, minute or hour: '10/s', '100/m', '1000/h'",
        found=repr(text),
        do="Correct it in the decorator; the most is 500000/s.",
    )


def tokens(rate: Rate, ahead: Micros, now: Micros) -> int:
    """How many may start now. `ahead` is the time up to which starts are given out; 0 where none was."""
    late = now + rate.tolerance - max(ahead, now)
    return 0 if late < 0 else 1 + late // rate.interval


def grant(rate: Rate, ahead: Micros, now: Micros, count: int = 1) -> Micros:
    """The time up to which starts are given out, after `count` more."""
    return max(ahead, now) + count * rate.interval


def opens_at(rate: Rate, ahead: Micros) -> Micros:
    """When the next one may start."""
    return ahead - rate.tolerance
