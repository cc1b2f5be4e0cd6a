"""The lines aside: what may not start by its limits, by queue and gate, until the gate opens."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from stem.adapters.memory.waiting import Waiter
from stem.clock import Micros

__all__ = ["NEVER", "Allowance", "Gate", "Side", "Sides"]

W = TypeVar("W", bound=Waiter)

NEVER: Final[Micros] = 1 << 62

Allowance: TypeAlias = "tuple[str, str]"
"""The task that shares it, and the key."""


class Gate(NamedTuple):
    """What decides together whether a message may start: all messages of one gate may, or none may.

    All are of one name, so that one limit holds for them, and none is left behind when names begin or end to share.
    """

    name: str
    shared: str
    rate_key: str
    concurrency_key: str

    @property
    def bucket(self) -> Allowance:
        """Whose rate it uses."""
        return self.shared, self.rate_key

    @property
    def holding(self) -> Allowance:
        """Whose concurrency it uses."""
        return self.shared, self.concurrency_key


@dataclass(slots=True, eq=False)
class Side(Generic[W]):
    """What of one queue stands before one gate. It looks open from `opens_at` on, and may turn out not to be."""

    queue: str
    gate: Gate
    opens_at: Micros = NEVER
    waiting: int = 0
    _line: list[tuple[int, Micros, int, int, W]] = field(default_factory=list[tuple[int, Micros, int, int, W]])
    """A heap of (-priority, due, sequence, ticket, message); stale is what has another ticket now."""

    def push(self, message: W) -> None:
        """Let it stand here at its place."""
        due = message.due_at
        assert due is not None
        heapq.heappush(self._line, (-message.priority, due, message.sequence, message.ticket, message))
        self.waiting += 1

    def first(self) -> W:
        """The one that is next; somebody stands here."""
        while self._line[0][3] != self._line[0][4].ticket:
            heapq.heappop(self._line)
        return self._line[0][4]


@dataclass(slots=True)
class Sides(Generic[W]):
    """All lines aside. One that is empty is gone."""

    _by_queue: dict[str, dict[Gate, Side[W]]] = field(default_factory=dict[str, dict[Gate, "Side[W]"]])
    _by_holding: dict[Allowance, dict[Side[W], None]] = field(default_factory=dict[Allowance, dict["Side[W]", None]])
    _opening: dict[str, list[tuple[Micros, int, Side[W]]]] = field(
        default_factory=dict[str, list[tuple[Micros, int, "Side[W]"]]]
    )
    """By queue, a heap of (time, number, line); stale is what opens at another time now."""
    _pushed: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands aside."""
        return not self._by_holding

    def put(self, message: W, queue: str, gate: Gate) -> Side[W]:
        """Let a message stand aside; the line that it stands in."""
        gates = self._by_queue.setdefault(queue, {})
        side = gates.get(gate)
        if side is None:
            side = gates[gate] = Side(queue, gate)
            self._by_holding.setdefault(gate.holding, {})[side] = None
        side.push(message)
        return side

    def leave(self, side: Side[W]) -> None:
        """One of this line has left it."""
        side.waiting -= 1
        if side.waiting:
            return
        self.open(side, NEVER)
        del self._by_queue[side.queue][side.gate]
        holding = self._by_holding[side.gate.holding]
        del holding[side]
        if not holding:
            del self._by_holding[side.gate.holding]

    def open(self, side: Side[W], at: Micros) -> None:
        """Let a line be looked at from this time on."""
        if side.opens_at == at:
            return
        side.opens_at = at
        if at != NEVER:
            self._pushed += 1
            heapq.heappush(self._opening.setdefault(side.queue, []), (at, self._pushed, side))

    def next(self, queue: str) -> Side[W] | None:
        """The line of this queue that is to be looked at first."""
        heap = self._opening.get(queue, [])
        while heap and heap[0][0] != heap[0][2].opens_at:
            heapq.heappop(heap)
        return heap[0][2] if heap else None

    def of_holding(self, holding: Allowance) -> Iterable[Side[W]]:
        """The lines before gates of this concurrency."""
        return self._by_holding.get(holding, {})

    def of_task(self, shared: str) -> Iterator[Side[W]]:
        """The lines before gates of this task."""
        return (side for gates in self._by_queue.values() for side in gates.values() if side.gate.shared == shared)
