"""Which queues a lease call asks: the worker's own in each, its private one when there may be something in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.store import LeaseAnswer, Notice

__all__ = ["POLL", "Turns", "wait_length"]

POLL: Final[Micros] = 5_000_000
"""How long without a notice, at most: an engine hears of what is new, and looks itself for what was not heard."""
_SHORTEST_WAIT: Final[Micros] = 1_000
_UNSURE: Final[Micros] = 1_000_000
"""So often it is asked because of notices that do not say what they are of: a busy store gives many."""
_FIRST: Final = 1_000
"""So many times the weight of all others: what is in the private queue comes first."""


def wait_length(next_due: Micros | None) -> Micros:
    """How long until it makes sense to ask again: until something is due, at most 5 s, never so short that it spins."""
    return POLL if next_due is None else min(max(next_due, _SHORTEST_WAIT), POLL)


class Turns:
    """Chooses the queues of each call. Two queues cost an engine more than one, so the private one has its turns.

    It is asked after a notice of it, within a second of a notice of everything, when something in it may be due, after
    a call that brought something of it, and every five seconds.
    """

    def __init__(self, queues: Mapping[str, int], private: str, *, clock: Clock) -> None:
        self._own = queues
        self._private = private
        self._both = {**queues, private: _FIRST * sum(queues.values())}
        self._clock = clock
        self._heard = True
        self._unsure = False
        self._asked = 0
        self._at = 0

    def concern(self, notice: Notice) -> bool:
        """Whether a notice is of any of these queues. From any thread."""
        if notice.everything:
            self._unsure = True
        elif self._private in notice.queues:
            self._heard = True
        else:
            return not notice.queues.isdisjoint(self._own)
        return True

    def queues(self, now: Micros) -> Mapping[str, int]:
        """What the next call asks, with weights; `now` by the worker's own clock."""
        if not self._heard and now < self._next:
            return self._own
        self._heard = self._unsure = False
        self._asked = now
        return self._both

    def answered(self, asked: Mapping[str, int], answer: LeaseAnswer) -> None:
        """What a call for these queues brought."""
        if asked is self._both:
            more = any(delivery.queue == self._private for delivery in answer.deliveries)
            self._at = self._clock.elapsed() + (0 if more else wait_length(answer.next_due))

    def rest(self, next_due: Micros | None) -> Micros:
        """How long to wait after a call that brought too little."""
        return min(wait_length(next_due), max(self._next - self._clock.elapsed(), _SHORTEST_WAIT))

    @property
    def _next(self) -> Micros:
        return min(self._at, self._asked + _UNSURE) if self._unsure else self._at
