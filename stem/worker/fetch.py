"""Asks the store for work: never more than can start, plus what hides the latency of asking."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from stem.clock import Clock, Micros
from stem.contracts.store import Delivery, Handed, LeaseAnswer, LeaseRequest, Notice, Seeks, Store
from stem.errors import StoreFull, StoreUnavailable
from stem.worker.demand import LATENCY, Demand, demand, prefetch
from stem.worker.held import Held
from stem.worker.slots import Slots
from stem.worker.standing import Standing
from stem.worker.stats import WorkerStats
from stem.worker.turns import Turns

__all__ = ["Fetcher"]

_RATE_WINDOW: Final[Micros] = 20_000
_FIRST_PAUSE: Final[Micros] = 50_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000

T = TypeVar("T")

_log: Final = logging.getLogger("stem.worker")


class Fetcher:
    """Leases when something can start: after a notice, an end, at a due time, every five seconds. It never spins.

    Where the store can be asked without a task, a notice is followed by a call in the same turn of the loop, and the
    answer by the first attempts.
    """

    def __init__(self, store: Store, slots: Slots, wants: Demand, *, clock: Clock, stats: WorkerStats) -> None:
        self._store = store
        self._seek = store.seek if isinstance(store, Seeks) else None
        self._slots = slots
        self._wants = wants
        self._turns = Turns(wants.queues, wants.private, clock=clock)
        self._clock = clock
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._asking: asyncio.Task[None] | None = None
        self._under_way = True  # until the limits are declared
        self._again = False
        """Whether something happened during the call that is under way."""
        self._looks = False
        self._called = False
        self._stopping = False
        self._hungry = True
        """Whether slots that become free are worth a call: the last one brought all that it asked for."""
        self._standing = Standing()
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
        if notice.handed is not None:
            self._hear_handed(notice.handed)
        if not self._turns.concern(notice) or self._called:
            return
        if threading.get_ident() != self._thread:
            self._called = True
            self._loop.call_soon_threadsafe(self._heard)
        elif self._slots.idle:
            self._look()
        else:
            self._look_soon()

    def slot_freed(self) -> None:
        """An attempt left its slot."""
        if self._hungry or (self._standing.was_given and self._slots.idle):
            self._look_soon()

    def handled(self, held: Held) -> None:
        """A handler ended."""
        self._ended += 1
        self._brief += self._clock.elapsed() - held.started_at <= LATENCY
        if self._hungry:
            self._look_soon()

    def stop(self) -> None:
        """Lease nothing more; what a call under way brings is still offered."""
        self._stopping = True
        if not self._under_way:
            self._leave()

    async def run(self) -> None:
        """Declare the limits, then lease until stopped.

        Raises what the store raises, except that it cannot be reached or is full for now.
        """
        try:
            await self._insist("was told no limits", partial(self._store.declare_limits, self._wants.limits))
            self._go_on(None)
            await self._over
        finally:
            self._stop_alarm()
            if self._asking is not None:
                self._asking.cancel()

    def _look_soon(self) -> None:
        """Look in the next turn of the loop, once for all that happens in this one: fewer calls bring as much."""
        if self._under_way:
            self._again = True
        elif not self._looks:
            self._looks = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Ask, if anything could start; after the call that is under way, if one is."""
        self._looks = False
        if self._under_way:
            self._again = True
            return
        now, free = self._clock.elapsed(), self._slots.free
        limit = 0 if self._over.done() else self._demand(now, free)
        self._hungry = True
        if limit > 0:
            self._again, self._under_way = False, True
            self._ask(self._request(now, limit, free), now)

    def _ask(self, request: LeaseRequest, asked_at: Micros) -> None:
        if self._seek is None or not self._seek(request, partial(self._sought, request, asked_at)):
            self._ask_in_task(request, asked_at)

    def _ask_in_task(self, request: LeaseRequest, asked_at: Micros) -> None:
        self._asking = self._loop.create_task(self._lease(request, asked_at), name="stem-lease")

    def _sought(self, request: LeaseRequest, asked_at: Micros, answer: LeaseAnswer | None) -> None:
        if self._over.done():
            return  # who would run it is gone; its leases run out
        if answer is None:
            self._ask_in_task(request, asked_at)
        else:
            self._take(request, asked_at, answer)

    async def _lease(self, request: LeaseRequest, asked_at: Micros) -> None:
        """Ask under the same request id until there is an answer, or the worker is stopped."""
        try:
            answer = await self._insist("leased nothing", partial(self._store.lease, request))
        except Exception as error:  # noqa: BLE001  # `run` raises it
            self._end(error)
        else:
            self._take(request, asked_at, answer)

    def _take(self, request: LeaseRequest, asked_at: Micros, answer: LeaseAnswer | None) -> None:
        """Start what came; what can wait is done when it has begun."""
        self._hungry = answer is None or len(answer.deliveries) == request.limit
        if answer is not None:
            self._slots.offer(*self._standing.answered(answer), asked_at=asked_at)
        self._loop.call_soon(self._note, request, answer)

    def _note(self, request: LeaseRequest, answer: LeaseAnswer | None) -> None:
        if answer is not None:
            self._turns.answered(request.queues, answer)
            self._count(answer.deliveries)
        self._go_on(None if answer is None else answer.next_due)

    def _go_on(self, next_due: Micros | None) -> None:
        """Ask again; or, after an answer of less than was asked for, only when a notice comes or time has passed."""
        self._under_way = False
        if self._stopping:
            self._leave()
        elif self._hungry or self._again:
            self._look()
        else:
            self._set_alarm(self._turns.rest(next_due))

    def _hear_handed(self, handed: Handed) -> None:
        if threading.get_ident() == self._thread:
            self._take_handed(handed)
        else:
            self._loop.call_soon_threadsafe(self._take_handed, handed)

    def _take_handed(self, handed: Handed) -> None:
        """Start what came without a call. More is asked for when it has its verdict, so that this is not held up."""
        asked_at = self._standing.heard(handed)
        if asked_at is not None:
            self._slots.offer(*handed.deliveries, asked_at=asked_at)
            self._loop.call_soon(self._count, handed.deliveries)

    def _count(self, deliveries: Sequence[Delivery]) -> None:
        self.answered_at = self._clock.elapsed()
        self._stats.leased += len(deliveries)

    def _leave(self) -> None:
        """End; before that let no request stand, so that nothing is given to a worker that stops."""
        if self._standing.stands_as and not self._over.done():
            now = self._clock.elapsed()
            self._under_way = True
            self._ask(self._request(now, 0, 0), now)
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

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
        self._look()

    def _heard(self) -> None:
        self._called = False
        self._look()

    def _demand(self, now: Micros, free: int) -> int:
        concurrency = self._slots.concurrency
        since, ended, brief = self._window
        if now - since >= _RATE_WINDOW or (self._brief - brief) * 2 >= concurrency:
            ended, brief = self._ended - ended, self._brief - brief
            self._ahead = prefetch(ended, brief, during=now - since, concurrency=concurrency)
            self._window = (now, self._ended, self._brief)
        return demand(free=free, waiting=self._slots.waiting, ahead=self._ahead)

    def _request(self, now: Micros, limit: int, free: int) -> LeaseRequest:
        """What can start as soon as it comes is marked as started; not while one waits that must not count as such. The
        request of a worker that has nothing to do stands."""
        wants, queues, stood = self._wants, self._turns.queues(now), self._standing.queues
        marks = wants.mark_started and not self._slots.careful
        request_id, stands_as = self._standing.begin(now, queues if limit > 0 and self._slots.idle else ())
        return LeaseRequest(
            request_id=request_id,
            worker=wants.worker,
            fingerprint=wants.fingerprint,
            queues=queues,
            limit=limit,
            started=max(0, min(limit, free)) if marks else 0,
            lease=wants.lease,
            leases=wants.leases,
            stands_as=stands_as,
            stood=stood,
        )

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
