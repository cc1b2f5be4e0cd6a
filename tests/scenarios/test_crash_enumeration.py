"""A process dies before, within and after each call of its store: nothing is lost, nothing is done twice.

Each flow is run once to its end, and its calls are counted. Then a new process is killed before and after each of them,
and a clean one looks at what is left. A whole program does not make the same calls in every run: a process that never
comes to its spot runs to its end, and is looked at, too.

Within a call it dies between each two statements with which SQLite or PostgreSQL writes. On Redis there is nothing
between: a call that writes is one function of the server.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator

import pytest

from stem.ids import new_id
from tests.scenarios.support.crashes import FLOWS, STEPS
from tests.scenarios.support.crashes.audit import audit
from tests.scenarios.support.crashes.forks import Ending, Forks
from tests.scenarios.support.crashes.order import WITHIN, Order, Spot
from tests.scenarios.support.places import Fresh

pytestmark = pytest.mark.slow

SERVER = pytest.mark.server
ELSEWHERE = [flow for flow in STEPS if flow != "HandingOut"]
"""What that one makes many calls for is a group, and groups are interrupted by flows of their own."""
CASES = [
    *(pytest.param(flow, "sqlite", id=f"{flow}-sqlite") for flow in FLOWS),
    *(pytest.param(flow, "sqlite sqlite", id=f"{flow}-split") for flow in ELSEWHERE),
    *(pytest.param(flow, "redis", id=f"{flow}-redis", marks=SERVER) for flow in ELSEWHERE),
    *(pytest.param(flow, "postgres", id=f"{flow}-postgres", marks=SERVER) for flow in ELSEWHERE),
    pytest.param("Settling", "redis postgres", id="Settling-split-servers", marks=SERVER),
]
"""What a process does, and the kinds of its stores."""
_WRITING = ("Publishing", "Settling", "Retrying", "Burying", "Firing", "Deciding")
CALLS = [
    *(pytest.param(flow, "sqlite", id=f"{flow}-sqlite") for flow in ("Leasing", *_WRITING)),
    *(pytest.param(flow, "postgres", id=f"{flow}-postgres", marks=SERVER) for flow in _WRITING),
]
"""What is written with more than one statement. PostgreSQL leases with one."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


@pytest.mark.parametrize(("flow", "engines"), CASES)
async def test_a_death_at_any_call_loses_nothing_and_does_nothing_twice(flow: str, fresh: Fresh, forks: Forks) -> None:
    await die_at_each(flow, fresh, forks, spots)


@pytest.mark.parametrize(("flow", "engines"), CALLS)
async def test_a_death_between_two_statements_of_a_call_tears_nothing(flow: str, fresh: Fresh, forks: Forks) -> None:
    await die_at_each(flow, fresh, forks, gaps)


async def die_at_each(flow: str, fresh: Fresh, forks: Forks, spots: Callable[[Ending], list[Spot]]) -> None:
    """Do it once to its end; then let a process die at each of the spots that there were, and look what is left."""
    whole = Order(flow, fresh(), new_id())
    unhindered = forks.run(whole)
    assert unhindered.code == 0, unhindered.error
    await audit(whole, unhindered.told)

    async def die(spot: Spot) -> None:
        doomed = Order(flow, fresh(), new_id(), spot)
        ending = await asyncio.to_thread(forks.run, doomed)
        assert ending.code == -signal.SIGKILL or (flow not in STEPS and ending.code == 0), (spot, ending.error)
        await audit(doomed, ending.told)

    remaining = spots(unhindered)
    assert remaining
    while remaining:  # one process is looked at while the next one dies
        await asyncio.gather(*(die(remaining.pop()) for _ in remaining[:4]))


def gaps(unhindered: Ending) -> list[Spot]:
    """Between each two statements that write for one call."""
    return [Spot(0, WITHIN, nth + 1, "KILL_BEFORE") for nth in range(unhindered.statements)]


def spots(unhindered: Ending) -> list[Spot]:
    """Before and after each call that there was."""
    return [
        Spot(store, method, nth + 1, fault)
        for store, counts in enumerate(unhindered.counts)
        for method, count in counts.items()
        for nth in range(count)
        for fault in ("KILL_BEFORE", "KILL_AFTER")
    ]
