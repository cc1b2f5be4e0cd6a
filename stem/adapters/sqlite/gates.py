"""The limits inside a lease call: who may start, who stands aside before which gate, and who is let back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, cast

from stem.adapters.sqlite.deliver import NAME, QUEUE, SEQ, Found
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.write import Writing
from stem.clock import Micros
from stem.contracts.limits import MOST_MOVED
from stem.tasks.rates import Rate, grant, opens_at, tokens

__all__ = ["Gates", "end_holders", "leave_side", "load_rate"]

_Allowance = tuple[str, str]
"""The task that shares it, and the key."""


class _Terms(NamedTuple):
    """A limit, and what is used of it."""

    rate: Rate | None
    concurrency: int | None
    ahead: Micros
    holders: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> _Terms:
        interval, tolerance, concurrency, ahead, holders = row
        return cls(load_rate(interval, tolerance), concurrency, ahead, holders)

    def room(self, now: Micros) -> int:
        """How many may start now, at most `MOST_MOVED`."""
        room = MOST_MOVED
        if self.rate is not None:
            room = min(room, tokens(self.rate, self.ahead, now))
        if self.concurrency is not None:
            room = min(room, self.concurrency - self.holders)
        return max(0, room)

    def opens_at(self, now: Micros) -> Micros | None:
        """When to look again: now while there is room, else by the rate, or when a holder's lease ends."""
        if self.room(now):
            return now
        if self.rate is None or (self.concurrency is not None and self.holders >= self.concurrency):
            return None
        return opens_at(self.rate, self.ahead)


def load_rate(interval: Micros | None, tolerance: Micros | None) -> Rate | None:
    """The rate of two columns."""
    return None if interval is None or tolerance is None else Rate(interval, tolerance)


@dataclass(frozen=True, slots=True)
class _Limited:
    """A message whose name has a limit."""

    bucket: _Allowance
    holding: _Allowance
    rate: Rate | None
    concurrency: int | None


@dataclass(slots=True)
class Gates:
    """One lease call over `queues`; `left` is how many messages it may still move aside."""

    writing: Writing
    queues: str
    left: int = MOST_MOVED
    is_full: bool = False
    """Whether somebody should stand aside whom this call could not move any more."""
    _aside: list[Found] = field(default_factory=list[Found])
    _limited: dict[int, _Limited] = field(default_factory=dict[int, _Limited])
    _ahead: dict[_Allowance, Micros] = field(default_factory=dict[_Allowance, Micros])
    _holders: dict[_Allowance, int] = field(default_factory=dict[_Allowance, int])
    _touched: set[int] = field(default_factory=set[int])

    def let_back(self) -> int:
        """Of each line aside whose time has come, let as many back into the queue's as may start; how many in all."""
        asked = self.writing.ask("limits/opening", queues=self.queues, now=self.writing.now, limit=MOST_MOVED)
        most = MOST_MOVED
        for row in sorted(chain(*cast("list[list[list[Any]]]", asked)))[:MOST_MOVED]:
            if not most:
                break
            gate: int = row[1]
            self._touched.add(gate)
            room = min(most, _Terms.of(row[2:]).room(self.writing.now))
            if room:
                most -= self.writing.execute("limits/let_back", gate=gate, limit=room).rowcount
        return MOST_MOVED - most

    def look_up(self, messages: Sequence[Found]) -> bool:
        """Learn what holds for messages that may be given; whether anything does."""
        asked = dump(list({found[NAME] for found in messages}))
        names = set(cast("list[str]", self.writing.ask("limits/named", names=asked)))
        limited = [found[SEQ] for found in messages if found[NAME] in names]
        self._learn(limited)
        return bool(limited)

    def _learn(self, seqs: Sequence[int]) -> None:
        for row in self.writing.ask("limits/standing", seqs=dump(seqs)) if seqs else ():
            seq, shared, rate_key, concurrency_key, *rest = cast("list[Any]", row)
            terms = _Terms.of(rest)
            limited = _Limited((shared, rate_key), (shared, concurrency_key), terms.rate, terms.concurrency)
            self._limited[seq] = limited
            self._ahead.setdefault(limited.bucket, terms.ahead)
            self._holders.setdefault(limited.holding, terms.holders)

    def clear(self, line: deque[Found]) -> bool:
        """Whether the first of a line may start, after those before it that may not were taken out of it."""
        while line and not self._lets_start(line[0]):
            if not self.left:
                self.is_full = True
                return False
            self.left -= 1
            self._aside.append(line.popleft())
        return bool(line)

    def _lets_start(self, found: Found) -> bool:
        limited = self._limited.get(found[SEQ])
        if limited is None:
            return True
        ahead, holders = self._ahead[limited.bucket], self._holders[limited.holding]
        return _Terms(limited.rate, limited.concurrency, ahead, holders).room(self.writing.now) > 0

    def start(self, found: Found) -> None:
        """Count a message that starts."""
        limited = self._limited.get(found[SEQ])
        if limited is not None and limited.rate is not None:
            self._ahead[limited.bucket] = grant(limited.rate, self._ahead[limited.bucket], self.writing.now)
        if limited is not None and limited.concurrency is not None:
            self._holders[limited.holding] += 1

    def move_aside(self) -> None:
        """Let those that were taken out of their lines stand before their gates."""
        if not self._aside:
            return
        gates = [(found, self._limited[found[SEQ]]) for found in self._aside]
        rows = dump([[found[SEQ], found[QUEUE], found[NAME], *row.bucket, row.holding[1]] for found, row in gates])
        self.writing.execute("limits/build", rows=rows)
        self._touched.update(gate for (gate,) in self.writing.execute("limits/move_aside", rows=rows).fetchall())
        self._aside.clear()

    def close(self, started: Sequence[Found]) -> None:
        """Record what was used by those that started, and when each gate that was touched is to be looked at again."""
        limited = {found[SEQ]: self._limited[found[SEQ]] for found in started if found[SEQ] in self._limited}
        rated = {row.bucket for row in limited.values() if row.rate is not None}
        holders = {seq: row.holding for seq, row in limited.items() if row.concurrency is not None}
        if rated:
            self.writing.execute("limits/use", rows=dump([[*key, self._ahead[key]] for key in rated]))
        if holders:
            counts = [[*key, self._holders[key]] for key in set(holders.values())]
            self.writing.execute("limits/occupy", rows=dump(counts))
            self.writing.execute("limits/hold", rows=dump([[seq, *key] for seq, key in holders.items()]))
        self._look_again()

    def _look_again(self) -> None:
        if not self._touched:
            return
        gates = dump(sorted(self._touched))
        self.writing.execute("limits/demolish", gates=gates)
        rows = cast("list[list[Any]]", self.writing.ask("limits/touched", gates=gates))
        times = [[row[1], _Terms.of(row[2:]).opens_at(self.writing.now)] for row in rows]
        self.writing.execute("limits/open", rows=dump(times))

    def next_time(self) -> Micros | None:
        """When the first line aside is to be looked at; `None` for no line, or when none opens by time."""
        found: Micros | None = self.writing.execute("limits/next", queues=self.queues).fetchone()[0]
        return found


def end_holders(writing: Writing, holdings: Sequence[int]) -> None:
    """Leases that counted have ended: what waits for that may be looked at, and its queues are told."""
    if holdings:
        ids = dump(list(holdings))
        writing.execute("limits/vacate", holdings=ids)
        _tell(writing, writing.execute("limits/reopen", holdings=ids, now=writing.now).fetchall())
        writing.execute("limits/forget_holdings", holdings=ids)


def leave_side(writing: Writing, task: str, gate: int | None) -> None:
    """Let a message stand aside no more; a gate before which nobody stands is gone."""
    if gate is not None:
        writing.execute("limits/leave", task=task)
        writing.execute("limits/demolish", gates=dump([gate]))


def _tell(writing: Writing, queues: Iterable[tuple[str]]) -> None:
    writing.queues.update(queue for (queue,) in queues)
