"""Which call meets which fault: chosen from a seed, or said in advance. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Final, TypeAlias

from stem.contracts.changes import Write
from stem.contracts.store import Store
from stem.errors import ConfigError

__all__ = ["METHODS", "Call", "Chances", "Choice", "Fault", "Point", "choose_among", "choose_none"]

METHODS: Final = frozenset(name for name, _ in inspect.getmembers(Store, inspect.iscoroutinefunction)) | {
    "renew",
    "notice",
}
"""Every method of `Store` that asks the engine for something, `Keeper.renew`, and `notice` for one that is heard."""

_CANNOT_WAIT: Final = frozenset({"renew", "notice"})
_SPARED_BY_CHANCE: Final = frozenset({"aclose"})


class Fault(Enum):
    """What happens to one call."""

    FAIL = "fail"
    """The engine never hears of it; `StoreUnavailable` is raised. A notice is not heard."""
    DROP = "drop"
    """It is done, and its answer is lost: `StoreUnavailable` is raised. A notice is not heard."""
    DELAY = "delay"
    """It is done late, and answered later still. Not for renewals and notices, which cannot wait."""
    KILL_BEFORE = "kill_before"
    """This process gets SIGKILL, and the engine never hears of the call."""
    KILL_AFTER = "kill_after"
    """It is done, and then this process gets SIGKILL."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a run: the `nth` of its method, counted from 1."""

    method: str
    nth: int
    holds: Mapping[type[Write], int] = field(default_factory=dict[type[Write], int])
    """For each kind of write in a commit: the how-manieth commit it is that holds one."""


Choice: TypeAlias = Callable[[Call], Fault | None]
"""Decides about one call; the same call must always meet the same fault."""


@dataclass(frozen=True, slots=True)
class Point:
    """The `nth` call of a method meets a fault; with `holding`, the `nth` commit that holds a write of this kind.

    Raises `ConfigError` for a method that there is not, and for a fault that it cannot meet.
    """

    method: str
    fault: Fault
    nth: int = 1
    holding: type[Write] | None = None

    def __post_init__(self) -> None:
        _require(self.method in METHODS, f"a method among {', '.join(sorted(METHODS))}", f"'{self.method}'")
        _require(self.nth >= 1, "an `nth` of 1 or more", str(self.nth))
        _require(self.holding is None or self.method == "commit", "`holding` for `commit` alone", f"'{self.method}'")
        waits = self.fault is not Fault.DELAY or self.method not in _CANNOT_WAIT
        _require(waits, "a call that can wait", f"a delay of '{self.method}'")

    def fits(self, call: Call) -> bool:
        """Whether this is the call."""
        counted = call.nth if self.holding is None else call.holds.get(self.holding)
        return self.method == call.method and self.nth == counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How likely each fault is, of each call by itself: 0 to 1, together at most 1.

    What a call meets depends on the seed, its method and its number alone: whatever else happens at the same time, the
    same call meets the same fault. Raises `ConfigError` for what is no chance.
    """

    seed: int
    fail: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    kill: float = 0.0

    def __post_init__(self) -> None:
        chances = (self.fail, self.drop, self.delay, self.kill)
        sound = all(0 <= chance <= 1 for chance in chances) and sum(chances) <= 1
        _require(sound, "chances from 0 to 1 that are together at most 1", f"{chances}")

    def choose(self, call: Call) -> Fault | None:
        """The fault that this call meets."""
        if call.method in _SPARED_BY_CHANCE:
            return None
        luck = Random(f"{self.seed}:{call.method}:{call.nth}").random()  # noqa: S311 - luck that can be had again
        fault = _at(luck, self._likely())
        return None if fault is Fault.DELAY and call.method in _CANNOT_WAIT else fault

    def _likely(self) -> Sequence[tuple[Fault, float]]:
        return (
            (Fault.FAIL, self.fail),
            (Fault.DROP, self.drop),
            (Fault.DELAY, self.delay),
            (Fault.KILL_BEFORE, self.kill / 2),
            (Fault.KILL_AFTER, self.kill / 2),
        )


def choose_none(call: Call) -> Fault | None:
    """No call meets any fault."""
    del call
    return None


def choose_among(points: Sequence[Point]) -> Choice:
    """A call meets the fault of the first of these points that it fits."""
    return lambda call: next((point.fault for point in points if point.fits(call)), None)


def _at(luck: float, likely: Sequence[tuple[Fault, float]]) -> Fault | None:
    for fault, chance in likely:
        if luck < chance:
            return fault
        luck -= chance
    return None


def _require(holds: bool, expected: str, found: str) -> None:
    if not holds:
        raise ConfigError(expected=expected, found=found, do="Correct the plan of the faults.")
