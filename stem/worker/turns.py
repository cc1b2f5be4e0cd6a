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
_FIRST: Final = 1_000
"""So many times the weight of all others: what is in the private queue comes first."""


def wait_length(next_due: Micros | None) -> Micros:
    """How long until it makes sense to ask again: until something is due, at most 5 s, never so short that it spins."""
    return POLL if next_due is None else min(max(next_due, _SHORTEST_WAIT), POLL)


class Turns:
    """Chooses the queues of each call. Two queues cost an engine more than one, so the private one has its turns.

    It is asked after a notice of it, when something in it may be due, after a call that brought something of it, and
    every five seconds.
    """

    def __init__(self, queues: Mapping[str, int], private: str, *, clock: Clock) -> None:
        self._own = queues
        self._private = private
        self._both = {**queues, private: _FIRST * sum(queues.values())}
        self._clock = clock
        self._heard = True
        self._at = 0

    def concern(self, notice: Notice) -> bool:
        """Whether a notice is of any of these queues. From any thread."""
        if notice.everything or self._private in notice.queues:
            self._heard = True
            return True
        return not notice.queues.isdisjoint(self._own)

    def queues(self) -> Mapping[str, int]:
        """What the next call asks, with weights."""
        if not self._heard and self._clock.elapsed() < self._at:
            return self._own
        self._heard = False
        return self._both

    def answered(self, asked: Mapping[str, int], answer: LeaseAnswer) -> None:
        """What a call for these queues brought."""
        if asked is self._both:
            more = any(delivery.queue == self._private for delivery in answer.deliveries)
            self._at = self._clock.elapsed() + (0 if more else wait_length(answer.next_due))

    def rest(self, next_due: Micros | None) -> Micros:
        """How long to wait after a call that brought too little."""
        return min(wait_length(next_due), max(self._at - self._clock.elapsed(), _SHORTEST_WAIT))
