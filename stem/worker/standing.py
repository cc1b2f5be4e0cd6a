"""The request that stands at the store while this worker waits: what it is called, and what it is given. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.store import Delivery, Handed, LeaseAnswer
from stem.ids import new_id

__all__ = ["Standing"]


class Standing:
    """Each call of `lease` is made under the id under which the one before it stands, so that what was handed over and
    not heard of is found; what was both found and heard of is taken once."""

    def __init__(self) -> None:
        self._asked_at: dict[str, Micros] = {}
        self._heard: set[Fence] = set()
        self._own = ""
        self.stands_as = ""
        """The id of the request that stands; empty when none does."""
        self.queues: tuple[str, ...] = ()
        """Those of that request."""
        self.was_given = False
        """Whether something was handed over since the last call."""

    def begin(self, asked_at: Micros, queues: Iterable[str]) -> tuple[str, str]:
        """The ids of the next call: its own, and the one under which it may stand for these queues; empty for none."""
        own, self.queues = self.stands_as or new_id(), tuple(queues)
        self._asked_at = {own: self._asked_at[own]} if self.stands_as else {}
        self._own, self.stands_as = own, new_id() if self.queues else ""
        if self.stands_as:
            self._asked_at[self.stands_as] = asked_at
        self._heard.clear()
        self.was_given = False
        return own, self.stands_as

    def answered(self, answer: LeaseAnswer) -> tuple[Delivery, ...]:
        """What the call brought that was not handed over before its answer came."""
        self._asked_at.pop(self._own, None)
        if not answer.stands:
            self._forget(self.stands_as)
        if not self._heard:
            return answer.deliveries
        return tuple(delivery for delivery in answer.deliveries if delivery.fence not in self._heard)

    def heard(self, handed: Handed) -> Micros | None:
        """When its lease began at the earliest, by the worker's own clock; `None` for what was taken before."""
        asked_at = self._asked_at.pop(handed.stands_as, None)
        if asked_at is None:
            return None
        if handed.stands_as == self.stands_as:
            self._forget(handed.stands_as)
        self.was_given = True
        self._heard.update(delivery.fence for delivery in handed.deliveries)
        return asked_at + max(0, handed.since)

    def _forget(self, stands_as: str) -> None:
        self._asked_at.pop(stands_as, None)
        self.stands_as, self.queues = "", ()
