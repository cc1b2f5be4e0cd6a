"""What the limits let start in one lease call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.rows import Message
from stem.adapters.memory.sides import NEVER, Allowance, Gate, Side
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.limits import MOST_MOVED, TaskLimit
from stem.tasks.rates import grant, opens_at, tokens

__all__ = ["Turnstile", "end_holder", "gate_of", "use_allowance"]


def gate_of(limit: TaskLimit, message: Message) -> Gate:
    """The gate of a message under this limit."""
    return Gate(limit.name, limit.shared, message.rate_key or "", message.concurrency_key or "")


@dataclass(slots=True)
class Turnstile:
    """One lease call over unpaused queues; `left` is how many messages it may still move aside."""

    batch: Batch
    queues: Sequence[str]
    left: int = MOST_MOVED
    touched: dict[Side[Message], None] = field(default_factory=dict[Side[Message], None])

    @classmethod
    def of(cls, batch: Batch, queues: Sequence[str]) -> Turnstile | None:
        """The one of a call, after it has let back what may start; `None` where nothing is limited."""
        if not batch.tables.limits and batch.tables.sides.is_empty:
            return None
        turnstile = cls(batch, queues)
        turnstile.let_back()
        return turnstile

    def let_back(self) -> None:
        """Of each line whose time has come, let as many back into the queue's as may start, so many in all."""
        most = MOST_MOVED
        for queue in self.queues:
            while most and (side := self.batch.tables.sides.next(queue)) and side.opens_at <= self.batch.now:
                most -= self._let_back(side, most)

    def _let_back(self, side: Side[Message], most: int) -> int:
        tables, now = self.batch.tables, self.batch.now
        count = min(_room(tables, side, now), side.waiting, most)
        self.touched[side] = None
        tables.sides.open(side, NEVER)
        for _ in range(count):
            tables.step_back(side.first(), now)
        return count

    def lets_start(self, message: Message) -> bool:
        """Whether this one may start now."""
        limit = self.batch.tables.limits.get(message.name)
        return limit is None or _free(self.batch.tables, limit, gate_of(limit, message), self.batch.now) > 0

    def move_aside(self, message: Message) -> bool:
        """Let one that may not start stand aside; false when this call has moved enough."""
        if not self.left:
            return False
        self.left -= 1
        limit = self.batch.tables.limits[message.name]
        self.touched[self.batch.tables.step_aside(message, gate_of(limit, message))] = None
        return True

    def look_again(self) -> None:
        """Note of each line that was touched when it is to be looked at again, by what has started meanwhile."""
        tables, now = self.batch.tables, self.batch.now
        for side in self.touched:
            if side.waiting:
                tables.sides.open(side, now if _room(tables, side, now) else _opening(tables, side))

    def next_time(self) -> Micros | None:
        """When the first line is to be looked at; `None` for no line, or when none opens by time."""
        found = (self.batch.tables.sides.next(queue) for queue in self.queues)
        return min((side.opens_at for side in found if side is not None), default=None)


def use_allowance(tables: Tables, message: Message, now: Micros) -> Allowance | None:
    """Count a message that starts; the holding that its lease is a holder of."""
    limit = tables.limits.get(message.name)
    if limit is None:
        return None
    gate = gate_of(limit, message)
    if limit.rate is not None:
        tables.ahead[gate.bucket] = grant(limit.rate, tables.ahead.get(gate.bucket, 0), now)
    if limit.concurrency is None:
        return None
    tables.holders[gate.holding] = tables.holders.get(gate.holding, 0) + 1
    return gate.holding


def end_holder(batch: Batch, holding: Allowance) -> None:
    """A holder's lease has ended: what waits for that may be looked at, and its queues are told."""
    holders = batch.tables.holders
    holders[holding] -= 1
    if not holders[holding]:
        del holders[holding]
    for side in batch.tables.sides.of_holding(holding):
        batch.tables.sides.open(side, batch.now)
        batch.queues.add(side.queue)


def _room(tables: Tables, side: Side[Message], now: Micros) -> int:
    """How many of a line may start; all of it is judged anew where other allowances, or none, hold for its name."""
    limit = tables.limits.get(side.gate.name)
    if limit is None or limit.shared != side.gate.shared:
        return side.waiting
    return _free(tables, limit, side.gate, now)


def _free(tables: Tables, limit: TaskLimit, gate: Gate, now: Micros) -> int:
    free = MOST_MOVED
    if limit.rate is not None:
        free = min(free, tokens(limit.rate, tables.ahead.get(gate.bucket, 0), now))
    if limit.concurrency is not None:
        free = min(free, limit.concurrency - tables.holders.get(gate.holding, 0))
    return max(0, free)


def _opening(tables: Tables, side: Side[Message]) -> Micros:
    """When the rate lets the next of a line start that has no room now; never, while its concurrency is used up."""
    limit = tables.limits[side.gate.name]
    if limit.concurrency is not None and tables.holders.get(side.gate.holding, 0) >= limit.concurrency:
        return NEVER
    assert limit.rate is not None
    return opens_at(limit.rate, tables.ahead.get(side.gate.bucket, 0))
