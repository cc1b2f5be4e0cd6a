"""Who of those in line may start, and how many of those aside may go back: decided over what was read. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from json import dumps
from typing import Final, Literal, NamedTuple

from stem.clock import Micros
from stem.contracts.fairness import Credits, next_turn
from stem.contracts.limits import MOST_MOVED, TaskLimit
from stem.contracts.store import MAX_LEASE_BYTES
from stem.tasks.rates import grant, opens_at, tokens

__all__ = ["Allowance", "Candidate", "Judged", "Ledger", "Standing", "bench_of", "short"]

_LONGEST: Final = 200
"""A longer key does not fit into an index together with the names beside it, and is known by its digest."""
_DIGEST: Final = "#"


class Allowance(NamedTuple):
    """What messages share: of a rate, the time up to which starts are given out; of a concurrency, the holders."""

    kind: Literal["concurrency", "rate"]
    shared: str
    key: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message in line, with the limit of its name. An absent key is empty; a long one is its digest."""

    at: str
    seq: int
    queue: str
    since: Micros
    size: int
    state: str
    name: str
    rate_key: str
    concurrency_key: str
    limit: TaskLimit | None = None

    @property
    def gate(self) -> str:
        """One word for all that start or wait together with it."""
        return _digest(dumps([self.queue, self.name, self.rate_key, self.concurrency_key]))

    @property
    def rated(self) -> Allowance | None:
        """The allowance of the rate that it needs."""
        limit = self.limit
        return None if limit is None or limit.rate is None else Allowance("rate", limit.shared, self.rate_key)

    @property
    def holding(self) -> Allowance | None:
        """What it is a holder of, once it is leased."""
        limit = self.limit
        if limit is None or limit.concurrency is None:
            return None
        return Allowance("concurrency", limit.shared, self.concurrency_key)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands for some keys; without one, anything may start."""

    limit: TaskLimit | None
    ahead: Micros
    holders: int

    def room(self, now: Micros) -> int:
        """How many may start now."""
        limit, rooms = self.limit, [MOST_MOVED]
        if limit is not None and limit.rate is not None:
            rooms.append(tokens(limit.rate, self.ahead, now))
        if limit is not None and limit.concurrency is not None:
            rooms.append(limit.concurrency - self.holders)
        return max(0, min(rooms))

    def opens_after(self, count: int, now: Micros) -> Micros | None:
        """From when on there is room for one more than `count`; `None` where a holder's lease must end before."""
        limit = self.limit
        if limit is not None and limit.concurrency is not None and limit.concurrency - self.holders <= count:
            return None
        if limit is None or limit.rate is None:
            return 0
        return opens_at(limit.rate, grant(limit.rate, self.ahead, now, count))


@dataclass(slots=True)
class Ledger:
    """The allowances of some candidates as they are used up, by the time at which all of them were locked."""

    used: dict[Allowance, int]
    now: Micros
    changed: dict[Allowance, int] = field(default_factory=dict[Allowance, int])

    def standing(self, candidate: Candidate) -> Standing:
        """How the limit of a candidate stands for its keys."""
        rated, holding = candidate.rated, candidate.holding
        ahead = 0 if rated is None else self.used[rated]
        return Standing(candidate.limit, ahead, 0 if holding is None else self.used[holding])

    def may_start(self, candidate: Candidate) -> bool:
        """Whether nothing that it needs is used up."""
        return candidate.limit is None or self.standing(candidate).room(self.now) > 0

    def take(self, candidate: Candidate) -> None:
        """Use up what it needs."""
        rated, holding, limit = candidate.rated, candidate.holding, candidate.limit
        if rated is not None and limit is not None and limit.rate is not None:
            self._set(rated, grant(limit.rate, self.used[rated], self.now))
        if holding is not None:
            self._set(holding, self.used[holding] + 1)

    def _set(self, allowance: Allowance, used: int) -> None:
        self.used[allowance] = self.changed[allowance] = used


@dataclass(slots=True)
class Judged:
    """What becomes of candidates. `is_full`: the next one does not fit into the answer; `is_cut`: more stay in line
    that may not start; `owed`: what each queue is owed after what was taken."""

    owed: Credits
    taken: list[Candidate] = field(default_factory=list[Candidate])
    aside: list[Candidate] = field(default_factory=list[Candidate])
    is_full: bool = False
    is_cut: bool = False
    passed: set[str] = field(default_factory=set[str])
    """The queues that have more candidates than were wanted."""


@dataclass(slots=True)
class Bench:
    """Candidates by queue, each in their order, who are judged one after the other: whose queue's turn it is."""

    ledger: Ledger
    lines: dict[str, deque[Candidate]]
    judged: Judged
    most: int
    """How many may be moved aside."""

    def judge(self, *, weights: Mapping[str, int], quotas: Mapping[str, int], bytes_left: int) -> Judged:
        """Give each queue's quota to its first ones that may start.

        What is larger than a whole answer may be fits if it is the first one.
        """
        left = dict(quotas)
        while (head := self._next({queue: weights[queue] for queue, count in left.items() if count})) is not None:
            self.judged.is_full = head.size > bytes_left < MAX_LEASE_BYTES
            if self.judged.is_full:
                break
            self.judged.taken.append(self.lines[head.queue].popleft())
            self.ledger.take(head)
            left[head.queue] -= 1
            bytes_left -= head.size
        self.judged.passed.update(queue for queue, line in self.lines.items() if line)
        return self.judged

    def _next(self, weights: Mapping[str, int]) -> Candidate | None:
        """The one whose turn it is, who stays in line."""
        heads = {queue: head for queue in weights if (head := self._head(self.lines[queue])) is not None}
        if self.judged.is_cut:
            return None
        if len(heads) < 2:
            return next(iter(heads.values()), None)
        chosen, self.judged.owed = next_turn(self.judged.owed, {queue: weights[queue] for queue in heads})
        return heads[chosen]

    def _head(self, line: deque[Candidate]) -> Candidate | None:
        """The first one that may start; those before it are moved aside."""
        while line and not self.ledger.may_start(line[0]):
            self.judged.is_cut = len(self.judged.aside) >= self.most
            if self.judged.is_cut:
                return None
            self.judged.aside.append(line.popleft())
        return line[0] if line else None


def bench_of(candidates: Sequence[Candidate], queues: Iterable[str], ledger: Ledger, owed: Credits, most: int) -> Bench:
    """Seat the candidates of these queues, of whom at most so many are to be moved aside."""
    lines = {queue: deque[Candidate]() for queue in queues}
    for candidate in candidates:
        lines[candidate.queue].append(candidate)
    return Bench(ledger, lines, Judged(owed), most)


def short(key: str | None) -> str:
    """A key that fits into an index: itself, or its digest; empty for none."""
    if not key or (len(key.encode()) <= _LONGEST and not key.startswith(_DIGEST)):
        return key or ""
    return _DIGEST + _digest(key)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
