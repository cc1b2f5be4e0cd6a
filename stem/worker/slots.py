"""What runs now, what waits for a free place, and what goes back because it waited too long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.store import Delivery
from stem.worker.crashed import starts_alone
from stem.worker.held import Held

__all__ = ["LONGEST_WAIT", "MOST_SETTLING", "Slots"]

LONGEST_WAIT: Final[Micros] = 1_000_000
"""A delivery that has not started after this goes back to the queue."""
MOST_SETTLING: Final = 4
"""For each slot so many attempts may wait for their verdict before a slot has to: commits take longer than what is
short, and a batch of many costs hardly more than one of few."""
_AT_ONCE: Final = 50
"""So many start in one turn of the loop, so that the first of many are committed while the others run: half of
the usual concurrency. Without it the parts of a system take turns, and half of two processors stands still."""
_CROWDED: Final[Micros] = 1_000_000
"""How long one that crashed a worker stays away when too many such wait here, so that it is not leased in circles."""


class Slots:
    """As many handlers at once as the worker's concurrency, and at most one of those that have to start alone.

    An attempt gives its slot up when its handler has ended, so that commits and handlers overlap; but no more attempts
    wait for their verdict than there are slots. Work that was given up (a thread, above all) keeps its
    slot until it ends.
    Belongs to the event loop; `held` may be read from any thread.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        clock: Clock,
        launch: Callable[[Held], None],
        give_back: Callable[[Delivery, Micros], None],
        drop: Callable[[], None],
        call_soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self.concurrency = concurrency
        self._clock = clock
        self._launch = launch
        self._give_back = give_back
        self._drop = drop
        self._call_soon = call_soon
        self._held: set[Held] = set()
        self._handling = 0
        self._stuck = 0
        self._fetched: deque[Held] = deque()
        self._crashed: deque[Held] = deque()
        self._suspect: Held | None = None
        self._closed = False
        self._filling = False

    @property
    def free(self) -> int:
        """How many handlers may start now."""
        settling = len(self._held) - self._handling
        return self.concurrency - self._handling - self._stuck - max(0, settling - MOST_SETTLING * self.concurrency)

    @property
    def waiting(self) -> int:
        """How many fetched deliveries wait for a slot."""
        return len(self._fetched)

    @property
    def idle(self) -> bool:
        """Whether nothing runs, settles or waits."""
        return not self._held and not self._fetched and not self._crashed

    @property
    def over(self) -> bool:
        """Whether nothing is held, and nothing will be."""
        return self._closed and not self._held

    @property
    def busy(self) -> int:
        """How many attempts run or wait for their verdict."""
        return len(self._held)

    @property
    def careful(self) -> bool:
        """Whether a delivery that has to start alone runs or waits here."""
        return self._suspect is not None or bool(self._crashed)

    @property
    def takes_crashed(self) -> bool:
        """Whether a delivery that has to start alone could start now."""
        return self._suspect is None and self.free > 0

    def resize(self, concurrency: int) -> None:
        """Have so many places from now on. What runs beyond them goes on; what waits starts in new ones."""
        self.concurrency = concurrency
        self.fill()

    def held(self) -> list[Held]:
        """The attempts of this moment; copying a set is one step of the interpreter, so any thread may ask."""
        return list(self._held)

    def offer(self, *deliveries: Delivery, asked_at: Micros) -> None:
        """Start each, or let it wait for a slot."""
        for delivery in deliveries:
            if self._closed:
                self._give_back(delivery, 0)
            elif starts_alone(delivery):
                self._offer_crashed(Held.of(delivery, asked_at))
            else:
                self._fetched.append(Held.of(delivery, asked_at))
        self._fill_fetched()

    def handled(self, held: Held) -> None:
        """The handler ended; its slot is free unless what runs it goes on."""
        self._handling -= 1
        work = held.work
        if work is not None and not work.done():
            self._stuck += 1
            work.add_done_callback(lambda _: self._call_soon(self._work_ended))
        if self._fetched or self._crashed:
            self.fill()

    def done(self, held: Held) -> None:
        """The attempt has its verdict."""
        self._held.discard(held)
        if self._suspect is held:
            self._suspect = None
        if self._fetched or self._crashed:
            self.fill()

    def fill(self) -> None:
        """Start what waits, while there are slots; what crashed a worker first, because it waits the longest."""
        while self._crashed and self.takes_crashed:
            self._suspect = self._start(self._crashed.popleft(), self._clock.elapsed())
        if self._fetched:
            self._fill_fetched()

    def _fill_fetched(self) -> None:
        if self._filling or (free := self.free) <= 0:
            return
        now = self._clock.elapsed()
        for _ in range(_AT_ONCE):
            if not self._fetched or free <= 0:
                return
            free -= self._start(self._fetched.popleft(), now) is not None
        self._filling = True
        self._call_soon(self._fill_more)

    def _fill_more(self) -> None:
        self._filling = False
        self._fill_fetched()

    def give_back_old(self) -> None:
        """Give back what has waited too long."""
        now = self._clock.elapsed()
        for queue in (self._fetched, self._crashed):
            while queue and queue[0].asked_at + LONGEST_WAIT <= now:
                self._give_back(queue.popleft().delivery, 0)

    def close(self) -> None:
        """Give back everything that has not started, and from now on everything that is offered."""
        self._closed = True
        for queue in (self._fetched, self._crashed):
            while queue:
                self._give_back(queue.popleft().delivery, 0)

    def _offer_crashed(self, held: Held) -> None:
        delivery = held.delivery
        if self.takes_crashed:
            self._suspect = self._start(held, self._clock.elapsed())
        elif delivery.started and delivery.lost_by is None:
            self._give_back(delivery, 0)  # while it waits here it must not count as started
        elif len(self._crashed) < self.concurrency:
            self._crashed.append(held)
        else:
            self._give_back(delivery, _CROWDED)

    def _start(self, held: Held, now: Micros) -> Held | None:
        """Launch it; `None` when its lease may have ended meanwhile."""
        if held.asked_at + held.delivery.lease <= now:
            self._drop()
            return None
        held.started_at = now
        self._held.add(held)
        self._handling += 1
        self._launch(held)
        return held

    def _work_ended(self) -> None:
        """What outlived its attempt has ended."""
        self._stuck -= 1
        self.fill()
