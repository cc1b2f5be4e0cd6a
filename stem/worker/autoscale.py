"""How many handlers may run at once, between two bounds, by how long due tasks wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.store import Store
from stem.errors import StoreError
from stem.worker.slots import Slots

__all__ = ["Autoscaler", "Bounds", "next_concurrency"]

EVERY: Final[Micros] = 5_000_000

_log: Final = logging.getLogger("stem.worker")


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `low` to `high`; a due task should wait no longer than `latency`."""

    low: int
    high: int
    latency: Micros


def next_concurrency(present: int, *, busy: int, waited: Micros, bounds: Bounds) -> int:
    """Twice as many while due tasks wait too long and every place is taken; half as many while half of them are not
    needed and nothing waits for half the time that it may. Else as many as now."""
    if waited > bounds.latency and busy >= present:
        return min(bounds.high, present * 2)
    if waited * 2 <= bounds.latency and busy * 2 <= present:
        return max(bounds.low, present // 2)
    return present


class Autoscaler:
    """Looks every five seconds how long the oldest due task of the worker's queues has waited, and sets its places.

    What runs is never stopped for it. Two questions to the store each time; one that does not answer changes nothing.
    `resized` is called when there are more places, or fewer.
    """

    def __init__(
        self,
        store: Store,
        slots: Slots,
        bounds: Bounds,
        *,
        queues: Collection[str],
        clock: Clock,
        resized: Callable[[], None],
    ) -> None:
        self._store = store
        self._slots = slots
        self._bounds = bounds
        self._queues = queues
        self._clock = clock
        self._resized = resized

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                self._set(await self._waited())
            except StoreError as error:
                _log.warning("how long tasks wait could not be read (%s)", error.code)

    async def _waited(self) -> Micros:
        now = await self._store.now()
        counts = await self._store.queues()
        due = [count.oldest_due for count in counts if count.queue in self._queues and count.oldest_due is not None]
        return now - min(due, default=now)

    def _set(self, waited: Micros) -> None:
        present = self._slots.concurrency
        wanted = next_concurrency(present, busy=self._slots.busy, waited=waited, bounds=self._bounds)
        if wanted != present:
            _log.info("the oldest due task waits for %.1f s: %d places, before %d", waited / 1e6, wanted, present)
            self._slots.resize(wanted)
            self._resized()
