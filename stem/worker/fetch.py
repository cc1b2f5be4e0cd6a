"""Asks the store for work: never more than can start, plus what hides the latency of asking."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from stem.clock import Clock, Micros
from stem.contracts.limits import TaskLimit
from stem.contracts.store import LeaseAnswer, LeaseRequest, Notice, Store
from stem.errors import StoreFull, StoreUnavailable
from stem.ids import new_id
from stem.worker.held import Held
from stem.worker.slots import Slots
from stem.worker.stats import WorkerStats
from stem.worker.turns import Turns

__all__ = ["Demand", "Fetcher", "demand", "prefetch"]

MOST_AHEAD: Final = 4
"""For each slot so many deliveries may be ready: what is brief is run faster than an engine is asked for it."""
_LATENCY: Final[Micros] = 50_000
_RATE_WINDOW: Final[Micros] = 20_000
_FIRST_PAUSE: Final[Micros] = 50_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000

T = TypeVar("T")

_log: Final = logging.getLogger("stem.worker")


def prefetch(ended: int, brief: int, *, during: Micros, concurrency: int) -> int:
    """How many to have ready: what ends within 50 ms at the rate of `ended` in `during`, at most one for each slot; and
    four, if that many end of those that were `brief`, so that many that end together are not taken for many that are
    short."""
    if during <= 0:
        return 0
    usual, most = ended * _LATENCY // during, brief * _LATENCY // during
    return max(min(concurrency, usual), min(MOST_AHEAD * concurrency, most))


def demand(*, free: int, waiting: int, ahead: int) -> int:
    """How many to ask for; 0 while slots are taken and at least half of what should be ready is."""
    wanted = max(0, free) + ahead - waiting
    if wanted <= 0 or (free <= 0 and waiting * 2 > ahead):
        return 0
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What every lease request of one worker has in common."""

    worker: str
    fingerprint: str
    queues: Mapping[str, int]
    private: str
    """The queue that no other worker serves."""
    lease: Micros
    leases: Mapping[str, Micros]
    mark_started: bool
    """Whether the lease call marks what can start now; not with tasks that run at most once."""
    limits: Sequence[TaskLimit] = ()
    """What is declared before the first lease."""


class Fetcher:
    """The loop that leases. It waits for a free slot, a notice, the next due time, or five seconds; it never spins."""

    def __init__(self, store: Store, slots: Slots, wants: Demand, *, clock: Clock, stats: WorkerStats) -> None:
        self._store = store
        self._slots = slots
        self._wants = wants
        self._turns = Turns(wants.queues, wants.private, clock=clock)
        self._clock = clock
        self._stats = stats
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._called = False
        self._stopping = False
        self._hungry = True
        self._ended = 0
        self._brief = 0
        self._window: tuple[Micros, int, int] = (clock.elapsed(), 0, 0)
        self._ahead = 0
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0
        self.answered_at: Micros | None = None
        """When the store answered last, by the worker's own clock."""

    def hear(self, notice: Notice) -> None:
        """A listener for the store's notices. From any thread."""
        if not self._turns.concern(notice) or self._called:
            return
        if threading.get_ident() == self._thread:
            self._wake.set()
        else:
            self._called = True
            self._loop.call_soon_threadsafe(self._heard)

    def slot_freed(self) -> None:
        """An attempt left its slot."""
        if self._hungry:
            self._wake.set()

    def handled(self, held: Held) -> None:
        """A handler ended."""
        self._ended += 1
        self._brief += self._clock.elapsed() - held.started_at <= _LATENCY
        self.slot_freed()

    def stop(self) -> None:
        """Lease nothing more; what a call under way brings is still offered."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Declare the limits, then lease until stopped.

        Raises what the store raises, except that it cannot be reached or is full for now.
        """
        try:
            await self._insist("was told no limits", partial(self._store.declare_limits, self._wants.limits))
            while not self._stopping:
                self._wake.clear()
                await self._ask()
        finally:
            self._stop_alarm()

    async def _ask(self) -> None:
        limit = self._demand()
        if limit == 0:
            await self._wake.wait()
            return
        answer = await self._lease(limit)
        if answer is None or len(answer.deliveries) == limit:
            await asyncio.sleep(0)  # an engine in this process may answer without a turn of the loop
        else:
            await self._rest(answer)

    async def _rest(self, answer: LeaseAnswer) -> None:
        """There was less than was asked for: slots that become free bring nothing, only notices and time do."""
        self._hungry = False
        if not self._wake.is_set():
            self._set_alarm(self._turns.rest(answer.next_due))
            await self._wake.wait()
        self._hungry = True

    def _set_alarm(self, after: Micros) -> None:
        """Wake up then, or at an earlier time that was set before: an alarm for each rest would cost 40 us a task."""
        at = self._clock.elapsed() + after
        if self._alarm is None or self._alarm.done() or at < self._alarm_at:
            self._stop_alarm()
            self._alarm_at = at
            self._alarm = self._loop.create_task(self._ring(after), name="stem-alarm")

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    async def _ring(self, after: Micros) -> None:
        await self._clock.sleep(after)
        self._wake.set()

    def _heard(self) -> None:
        self._called = False
        self._wake.set()

    def _demand(self) -> int:
        now, concurrency = self._clock.elapsed(), self._slots.concurrency
        since, ended, brief = self._window
        if now - since >= _RATE_WINDOW or (self._brief - brief) * 2 >= concurrency:
            ended, brief = self._ended - ended, self._brief - brief
            self._ahead = prefetch(ended, brief, during=now - since, concurrency=concurrency)
            self._window = (now, self._ended, self._brief)
        return demand(free=self._slots.free, waiting=self._slots.waiting, ahead=self._ahead)

    async def _lease(self, limit: int) -> LeaseAnswer | None:
        """Ask once, under the same request id until there is an answer; `None` when stopped before there was one."""
        wants = self._wants
        request = LeaseRequest(
            request_id=new_id(),
            worker=wants.worker,
            fingerprint=wants.fingerprint,
            queues=self._turns.queues(),
            limit=limit,
            started=self._marked(limit),
            lease=wants.lease,
            leases=wants.leases,
        )
        asked_at = self._clock.elapsed()
        answer = await self._insist("leased nothing", partial(self._store.lease, request))
        if answer is not None:
            self.answered_at = self._clock.elapsed()
            self._turns.answered(request.queues, answer)
            self._stats.leased += len(answer.deliveries)
            self._slots.offer(*answer.deliveries, asked_at=asked_at)
        return answer

    def _marked(self, limit: int) -> int:
        """How many will start as soon as they come; none while one waits that must not count as started."""
        if not self._wants.mark_started or self._slots.careful:
            return 0
        return max(0, min(limit, self._slots.free))

    async def _insist(self, failing: str, call: Callable[[], Awaitable[T]]) -> T | None:
        """What the store answers, as soon as it does; `None` when stopped before."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await call()
            except (StoreUnavailable, StoreFull) as error:
                if self._stopping:
                    return None
                _log.warning("the store %s (%s); asking again in %d ms", failing, error.code, pause // 1000)
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
