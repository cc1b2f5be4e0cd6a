"""One queue's line: what is due by priority and age, what is not due by time, what is parked by who refused it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from stem.clock import Micros

__all__ = ["Waiter", "Waiting"]

_EVERYBODY: Final[frozenset[str]] = frozenset()
_STALE_BEFORE_COMPACTION: Final = 1_000


class Waiter(Protocol):
    """What the line needs to know of a message. The numbers of its place change only here."""

    ticket: int

    @property
    def priority(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def due_at(self) -> Micros | None: ...
    @property
    def refused_by(self) -> dict[str, Micros] | None: ...


W = TypeVar("W", bound=Waiter)

Ready: TypeAlias = "list[tuple[int, Micros, int, int, W]]"
"""A heap of (-priority, due, sequence, ticket, message)."""


@dataclass(slots=True)
class Waiting(Generic[W]):
    """Entries are never searched for: one whose ticket is no longer its message's is passed over when it comes up."""

    _ready: dict[frozenset[str], Ready[W]] = field(default_factory=dict[frozenset[str], "Ready[W]"])
    """By the set of fingerprints that are passed over, nearly always the empty one."""
    _later: list[tuple[Micros, int, int, W]] = field(default_factory=list[tuple[Micros, int, int, W]])
    """A heap of (time, sequence, ticket, message): not due before, or refused by somebody until then."""
    _times: list[tuple[Micros, int, int, W]] = field(default_factory=list[tuple[Micros, int, int, W]])
    """A heap of (due, sequence, ticket, message) of all that wait; stale is what is due at another time now."""
    _stale: int = 0
    _waiting: int = 0

    def put(self, message: W, now: Micros) -> None:
        """Let a message wait at its place."""
        self._place(message, now)
        due = message.due_at
        assert due is not None
        heapq.heappush(self._times, (due, message.sequence, message.ticket, message))
        self._waiting += 1
        if len(self._times) > 2 * self._waiting + _STALE_BEFORE_COMPACTION:
            self._times = [entry for entry in self._times if entry[0] == entry[3].due_at]
            heapq.heapify(self._times)

    def _place(self, message: W, now: Micros) -> None:
        message.ticket += 1
        due = message.due_at
        assert due is not None
        if due > now:
            heapq.heappush(self._later, (due, message.sequence, message.ticket, message))
            return
        refused = message.refused_by
        group = _EVERYBODY
        if refused:
            group = frozenset(name for name, until in refused.items() if until > now)
        if group:
            assert refused is not None
            until = min(refused[name] for name in group)
            heapq.heappush(self._later, (until, message.sequence, message.ticket, message))
        ready = self._ready.setdefault(group, [])
        heapq.heappush(ready, (-message.priority, due, message.sequence, message.ticket, message))

    def step_aside(self, message: W) -> None:
        """Take a message out of what can be seen; it waits all the same, and is due when it was."""
        self._pass_over(message)

    def step_back(self, message: W, now: Micros) -> None:
        """Let a message that stood aside have its place again."""
        self._place(message, now)

    def withdraw(self, message: W) -> None:
        """Take a message out of the line, wherever it stands."""
        self._waiting -= 1
        self._pass_over(message)

    def _pass_over(self, message: W) -> None:
        message.ticket += 1
        self._stale += 1
        if self._stale > _STALE_BEFORE_COMPACTION and self._stale > len(self) // 2:
            self._compact()

    def settle(self, now: Micros) -> None:
        """Move what has become due, or is no longer refused, to where it can be seen."""
        later = self._later
        while later and later[0][0] <= now:
            _, _, ticket, message = heapq.heappop(later)
            if ticket == message.ticket:
                self._place(message, now)

    def first(self, fingerprint: str) -> W | None:
        """The message that is next for this fingerprint; it stays in line."""
        best: tuple[int, Micros, int, int, W] | None = None
        for group in list(self._ready):
            if fingerprint in group:
                continue
            top = self._top(group)
            if top is not None and (best is None or top < best):
                best = top
        return None if best is None else best[4]

    def next_time(self) -> Micros | None:
        """When `settle` has something to do again."""
        later = self._later
        while later and later[0][2] != later[0][3].ticket:
            heapq.heappop(later)
        return later[0][0] if later else None

    def oldest_due(self) -> Micros | None:
        """The earliest due time of all that wait."""
        times = self._times
        while times and times[0][0] != times[0][3].due_at:
            heapq.heappop(times)
        return times[0][0] if times else None

    def _top(self, group: frozenset[str]) -> tuple[int, Micros, int, int, W] | None:
        heap = self._ready[group]
        while heap and heap[0][3] != heap[0][4].ticket:
            heapq.heappop(heap)
            self._stale = max(0, self._stale - 1)
        if heap:
            return heap[0]
        if group:
            del self._ready[group]
        return None

    def __len__(self) -> int:
        """The number of entries, stale ones included."""
        return len(self._times) + len(self._later) + sum(map(len, self._ready.values()))

    def _compact(self) -> None:
        self._later = [entry for entry in self._later if entry[2] == entry[3].ticket]
        heapq.heapify(self._later)
        for group, heap in self._ready.items():
            self._ready[group] = [entry for entry in heap if entry[3] == entry[4].ticket]
            heapq.heapify(self._ready[group])
        self._stale = 0
