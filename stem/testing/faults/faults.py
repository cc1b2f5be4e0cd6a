"""`Faults`: lets calls fail, and remembers which."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Self, TypeVar

from stem.clock import Clock, to_micros
from stem.contracts.changes import Change, Write
from stem.contracts.store import Store
from stem.errors import StoreUnavailable
from stem.testing.faults.plan import Call, Chances, Choice, Fault, Point, choose_among, choose_none
from stem.testing.faults.store import faulty

__all__ = ["Faults"]

T = TypeVar("T")

_TURNS: Final = 10
_SECOND: Final = timedelta(seconds=1)

_log: Final = logging.getLogger("stem.testing.faults")


class Faults:
    """Faults of storage, for tests: put `around` a store, they let chosen calls fail, or come late, or kill.

    `Faults()` only counts. One object may stand around several stores; it counts their calls together. What is delayed
    waits `delay_by` on `clock` twice, before it is done and before it is answered; without a clock it waits some turns
    of the event loop, and no time. Each fault is logged (INFO, `stem.testing.faults`) before it happens, a kill too.
    """

    def __init__(
        self, choose: Choice = choose_none, *, clock: Clock | None = None, delay_by: timedelta = _SECOND, said: str = ""
    ) -> None:
        self._choose = choose
        self._clock = clock
        self._delay_by = to_micros(delay_by)
        self._said = said
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._holding: Counter[type[Write]] = Counter()
        self._met: list[Point] = []
        self._calm = False

    @classmethod
    def from_seed(
        cls,
        seed: int,
        *,
        fail: float = 0.0,
        drop: float = 0.0,
        delay: float = 0.0,
        kill: float = 0.0,
        clock: Clock | None = None,
        delay_by: timedelta = _SECOND,
    ) -> Self:
        """Each call meets a fault with these chances; the same seed chooses the same faults for the same calls.

        Closing a store meets none. Raises `ConfigError` for what are no chances.
        """
        chances = Chances(seed=seed, fail=fail, drop=drop, delay=delay, kill=kill)
        said = f"from_seed({seed}, {fail=}, {drop=}, {delay=}, {kill=})"
        return cls(chances.choose, clock=clock, delay_by=delay_by, said=said)

    @classmethod
    def at(cls, method: str, fault: Fault, *, nth: int = 1, holding: type[Write] | None = None) -> Self:
        """One fault, at one `Point`. Raises `ConfigError` for one that cannot be."""
        return cls.plan(Point(method, fault, nth, holding))

    @classmethod
    def plan(cls, *points: Point, clock: Clock | None = None, delay_by: timedelta = _SECOND) -> Self:
        """These faults. The `record` of another run, given here, makes them happen again, from whatever seed."""
        return cls(choose_among(points), clock=clock, delay_by=delay_by, said=f"plan{points!r}")

    def __repr__(self) -> str:
        return f"Faults.{self._said}" if self._said else "Faults()"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many calls there were, by method."""
        with self._lock:
            return dict(self._counts)

    @property
    def record(self) -> tuple[Point, ...]:
        """The faults that happened, in order."""
        with self._lock:
            return tuple(self._met)

    def around(self, store: Store) -> Store:
        """This store, its calls meeting these faults."""
        return faulty(store, self)

    def calm(self) -> None:
        """From now on nothing meets a fault; calls are still counted."""
        self._calm = True

    async def meet(self, method: str, act: Callable[[], Awaitable[T]], changes: Sequence[Change] = ()) -> T:
        """See `Injector.meet`."""
        fault = self._next(method, changes)
        if fault is Fault.DELAY:
            await self._wait()
        _before(fault, method)
        answer = await act()
        if fault is Fault.DELAY:
            await self._wait()
        _after(fault, method)
        return answer

    def meet_blocking(self, method: str, act: Callable[[], T]) -> T:
        """See `Injector.meet_blocking`."""
        fault = self._next(method, ())
        _before(fault, method)
        answer = act()
        _after(fault, method)
        return answer

    def _next(self, method: str, changes: Sequence[Change]) -> Fault | None:
        """Count a call; the fault that it meets."""
        with self._lock:
            self._counts[method] += 1
            kinds = {type(write) for change in changes for write in change.writes}
            self._holding.update(kinds)
            call = Call(method, self._counts[method], {kind: self._holding[kind] for kind in kinds})
            fault = None if self._calm else self._choose(call)
            if fault is not None:
                self._met.append(Point(method, fault, call.nth))
                _log.info("%s meets %s of %s", call, fault, self)
        return fault

    async def _wait(self) -> None:
        if self._clock is not None:
            await self._clock.sleep(self._delay_by)
            return
        for _ in range(_TURNS):
            await asyncio.sleep(0)


def _before(fault: Fault | None, method: str) -> None:
    if fault is Fault.KILL_BEFORE:
        _kill()
    if fault is Fault.FAIL:
        raise _unavailable("no connection", method)


def _after(fault: Fault | None, method: str) -> None:
    if fault is Fault.KILL_AFTER:
        _kill()
    if fault is Fault.DROP:
        raise _unavailable("a connection that was lost before the answer came", method)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _unavailable(found: str, method: str) -> StoreUnavailable:
    return StoreUnavailable(
        expected=f"an answer to `{method}`",
        found=f"{found}, made up by a test",
        do="Call again, or take the faults away.",
    )
