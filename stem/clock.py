"""Time, behind one small contract, so that no test has to wait for it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

__all__ = ["Clock", "Micros", "SystemClock", "from_micros", "parse_duration", "to_micros"]

Micros = int
"""Microseconds: since the Unix epoch for an instant, plain for a duration."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BOOT: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What Stem asks of time. All three answers move together under a manual clock."""

    def now(self) -> Micros:
        """Wall-clock microseconds since the Unix epoch."""
        ...

    def elapsed(self) -> Micros:
        """Microseconds on a clock that never goes back and keeps counting while the machine is suspended."""
        ...

    async def sleep(self, duration: Micros) -> None:
        """Return after `duration` microseconds; at once, but never without a turn of the loop, when it is 0 or less."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Micros:
        """Wall-clock microseconds since the Unix epoch."""
        return time.time_ns() // 1000

    def elapsed(self) -> Micros:
        """CLOCK_BOOTTIME where the system has it, else the monotonic clock."""
        return time.clock_gettime_ns(_BOOT) // 1000

    async def sleep(self, duration: Micros) -> None:
        """Sleep on the running event loop."""
        import asyncio  # a producer's definitions reach this module, and asyncio is a third of what they cost

        await asyncio.sleep(max(0, duration) / 1_000_000)


def to_micros(value: datetime | timedelta) -> Micros:
    """Microseconds of an aware time (since the epoch) or of a duration; exact, no floating point."""
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    return (value - _EPOCH) // _MICROSECOND


_FIRST: Final[Micros] = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST: Final[Micros] = to_micros(datetime.max.replace(tzinfo=UTC))


def from_micros(instant: Micros) -> datetime:
    """The aware UTC time of an instant; the earliest or latest time there is for one that no `datetime` can hold."""
    return _EPOCH + timedelta(microseconds=max(_FIRST, min(instant, _LAST)))


_UNITS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """`250ms`, `30s`, `1h30m`, `7d`, or plain seconds. Raises `ValueError` for anything else."""
    compact = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        return timedelta(seconds=float(compact))
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError(f"{text!r} is no duration; write one like 250ms, 30s, 5m, 1h30m or 7d")
    return timedelta(microseconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
