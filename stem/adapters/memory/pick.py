"""Which message is next, over the lines of the queues that a lease request asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.ending import is_pointless, quit_group
from stem.adapters.memory.rows import Message
from stem.adapters.memory.turnstile import Turnstile
from stem.adapters.memory.waiting import Waiting
from stem.clock import Micros
from stem.contracts.fairness import next_turn
from stem.contracts.store import LeaseRequest

__all__ = ["Pick"]

_MOST_CANCELLED: Final = 200


@dataclass(slots=True)
class Pick:
    """One lease call's choice; `left` is how many members of closed groups it may still cancel."""

    batch: Batch
    request: LeaseRequest
    lines: dict[str, Waiting[Message]]
    turnstile: Turnstile | None
    left: int = _MOST_CANCELLED

    @classmethod
    def of(cls, batch: Batch, request: LeaseRequest) -> Pick:
        """Over the queues that are not paused."""
        lines = {name: batch.tables.queues.get(name) for name in request.queues if name not in batch.tables.pauses}
        found = {name: line for name, line in lines.items() if line is not None}
        for line in found.values():
            line.settle(batch.now)
        return cls(batch, request, found, Turnstile.of(batch, tuple(found)))

    def next(self) -> Message | None:
        """The message whose turn it is; it stays in line."""
        found = {name: message for name, line in self.lines.items() if (message := self._first(line)) is not None}
        if len(found) < 2:
            return next(iter(found.values()), None)
        weights = {name: self.request.queues[name] for name in found}
        chosen, self.batch.tables.owed = next_turn(self.batch.tables.owed, weights)
        return found[chosen]

    def finish(self) -> None:
        """All that is to be leased is leased."""
        if self.turnstile is not None:
            self.turnstile.look_again()

    def next_due(self) -> Micros | None:
        """How long until there is something to do: nothing, where some are left to be cancelled or moved aside."""
        if any(line.first(self.request.fingerprint) is not None for line in self.lines.values()):
            return 0
        times = [time for line in self.lines.values() if (time := line.next_time()) is not None]
        if self.turnstile is not None and (opening := self.turnstile.next_time()) is not None:
            times.append(opening)
        return max(0, min(times) - self.batch.now) if times else None

    def _first(self, line: Waiting[Message]) -> Message | None:
        while (message := line.first(self.request.fingerprint)) is not None:
            if is_pointless(self.batch, message):
                gone = self._quit(message)
            elif self.turnstile is None or self.turnstile.lets_start(message):
                return message
            else:
                gone = self.turnstile.move_aside(message)
            if not gone:
                break
        return None

    def _quit(self, message: Message) -> bool:
        if self.left == 0:
            return False
        self.left -= 1
        assert message.member is not None
        quit_group(self.batch, message, message.member.group)
        return True
