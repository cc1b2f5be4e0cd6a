"""Stores of which something never works, and time that passes while others do their work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from stem.testing.contracts.build import Bench
from stem.testing.faults import Call, Fault, Faults
from tests.scenarios.support.waiting import eventually

__all__ = ["as_time_passes", "without"]

_STEP = 0.25


def without(method: str) -> Faults:
    """Every call of this method fails; of `notice`, none is heard."""

    def choose(call: Call) -> Fault | None:
        return Fault.FAIL if call.method == method else None

    return Faults(choose)


async def as_time_passes(condition: Callable[[], Awaitable[bool]], bench: Bench) -> None:
    """Return when it is so; with each look a quarter of a second passes on the bench."""

    async def holds() -> bool:
        bench.clock.advance(_STEP)
        return await condition()

    await eventually(holds, within=40, what=str(condition))
