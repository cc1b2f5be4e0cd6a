"""The audit after a death finds engines that lose, tear apart or do twice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import APPLIED, Change, FireSchedule, Publish, SealGroup, Settle, Verdict, Write
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from tests.scenarios.support.crashes import STEPS
from tests.scenarios.support.crashes.audit import LATER, clean_up
from tests.scenarios.support.crashes.flow import Fact


class DiedError(Exception):
    """The process is gone."""


class Broken(MemoryStore):
    """Breaks a promise until it is mended, as a new process with sound code would have it."""

    mended = False

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        if self.mended or not any(self.breaks(write) for change in changes for write in change.writes):
            return await super().commit(changes)
        return await self.break_at(changes)

    def breaks(self, write: Write) -> bool:
        """Whether what holds this is what it cannot do."""
        raise NotImplementedError

    async def break_at(self, changes: Sequence[Change]) -> list[Verdict]:
        """Accept it, and write nothing."""
        return [APPLIED] * len(changes)


class Torn(Broken):
    """Writes the first half of a change that ends or fires something, and dies."""

    def breaks(self, write: Write) -> bool:
        return isinstance(write, Settle | FireSchedule)

    async def break_at(self, changes: Sequence[Change]) -> list[Verdict]:
        await MemoryStore.commit(self, [change._replace(writes=change.writes[:1]) for change in changes])
        raise DiedError


class Forgetful(Broken):
    """Keeps nothing of what is published."""

    def breaks(self, write: Write) -> bool:
        return isinstance(write, Publish)


class Unsealing(Broken):
    """Seals no group."""

    def breaks(self, write: Write) -> bool:
        return isinstance(write, SealGroup)


class Undying(Broken):
    """Ends no task."""

    def breaks(self, write: Write) -> bool:
        return isinstance(write, Settle)


BROKEN = [
    (Torn, "Settling"),
    (Torn, "Firing"),
    (Forgetful, "Publishing"),
    (Unsealing, "Opening"),
    (Undying, "Rescuing"),
]


@pytest.mark.parametrize(("engine", "flow"), BROKEN, ids=[f"{engine.__name__}-{flow}" for engine, flow in BROKEN])
async def test_an_engine_that_breaks_its_promise_is_found(engine: type[Broken], flow: str) -> None:
    clock = ManualClock()
    with pytest.raises(AssertionError):
        await _live_and_die(engine(clock), clock, flow)


@pytest.mark.parametrize("flow", STEPS)
async def test_an_engine_that_keeps_its_promises_passes(flow: str) -> None:
    clock = ManualClock()
    await _live_and_die(MemoryStore(clock), clock, flow)


async def _live_and_die(store: MemoryStore, clock: ManualClock, name: str) -> None:
    """Run a flow until it ends or dies, on memory that survives it, and look at what is left."""
    flow, bench = STEPS[name], Bench(store, clock)
    told: list[Fact] = []
    await flow.prepare(bench)
    with suppress(DiedError):
        await flow.act(bench, lambda verb, what: told.append((verb, what)))
    if isinstance(store, Broken):
        store.mended = True
    clock.advance(LATER)
    await flow.audit(await clean_up(flow, bench, told))
