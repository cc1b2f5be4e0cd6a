"""Which messages a lease call gives: what is due, in turns over the queues, as far as their limits let it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from stem.adapters.sqlite.deliver import DOOMED, DUE, ID, PRIORITY, QUEUE, SEQ, SIZE, Found
from stem.adapters.sqlite.ends import end_pointless
from stem.adapters.sqlite.gates import Gates
from stem.adapters.sqlite.refusals import judge_refusals
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.write import Writing
from stem.clock import Micros
from stem.contracts.fairness import Credits, next_turn
from stem.contracts.limits import MOST_MOVED
from stem.contracts.store import MAX_LEASE_BYTES, MOST_CANCELLED, LeaseRequest

__all__ = ["Pick"]

_Lines = Mapping[str, deque[Found]]


class _Look(NamedTuple):
    """What there is to choose from."""

    ready: list[Found]
    held: list[Found]
    """What this very request was given before."""
    refused: bool
    """Whether messages are to be judged anew that some registries may not have."""
    limited: bool


@dataclass(slots=True)
class Pick:
    """One lease call's choice, and the credits of the queues after it. `more` says that it left something undone."""

    writing: Writing
    request: LeaseRequest
    owed: Credits
    queues: str
    messages: list[Found] = field(default_factory=list[Found])
    held: list[Found] = field(default_factory=list[Found])
    more: bool = False
    _ended: int = 0
    _size: int = 0
    _gates: Gates | None = None

    @classmethod
    def of(cls, writing: Writing, request: LeaseRequest, owed: Credits) -> Pick:
        """Choose; what the same request was given before is all that there is, where it was given something."""
        pick = cls(writing, request, owed, dump(sorted(request.queues)))
        pick._choose()
        return pick

    def next_due(self) -> Micros | None:
        """How long until there is something to do."""
        if self.more or self._ended >= MOST_CANCELLED:
            return 0
        now = self.writing.now
        times = [self.writing.execute("next_due", queues=self.queues, now=now).fetchone()[0]]
        if self._gates is not None:
            times.append(self._gates.next_time())
        return min((max(0, time - now) for time in times if time is not None), default=None)

    def _choose(self) -> None:
        look = self._look(self.request.limit)
        if look.refused and not look.held:
            judge_refusals(self.writing, self.queues)
            look = self._look(self.request.limit)
        self.held = look.held
        if look.held:
            return
        if look.limited:
            self._choose_limited(look)
        else:
            self._choose_free(_by_queue(look.ready))

    def _look(self, limit: int) -> _Look:
        """The first of each queue, after cancelling those that no group needs any more."""
        while True:
            look = self._candidates(limit)
            doomed = [found for found in look.ready if found[DOOMED]][: MOST_CANCELLED - self._ended]
            if look.held or not doomed:
                return look._replace(ready=[found for found in look.ready if not found[DOOMED]])
            end_pointless(self.writing, [found[ID] for found in doomed])
            self._ended += len(doomed)

    def _candidates(self, limit: int) -> _Look:
        row = self.writing.execute(
            "ready",
            queues=self.queues,
            now=self.writing.now,
            limit=limit,
            nonce=self.request.request_id,
            fingerprint=self.request.fingerprint,
            quoted=dump(self.request.fingerprint),
        ).fetchone()
        ready, parked, held, refused, limited = row
        found = [*chain(*json.loads(ready)), *chain(*chain(*json.loads(parked)))]
        return _Look(found, json.loads(held or "[]"), bool(refused), bool(limited))

    def _choose_free(self, lines: _Lines) -> None:
        """Up to `limit` messages, in turns while more than one queue has some."""
        left = dict(lines)
        chosen: list[Found] = []
        while len(left) > 1 and len(chosen) < self.request.limit:
            chosen.append(self._take_turn(left))
            left = {queue: line for queue, line in left.items() if line}
        chosen += islice(chain(*left.values()), self.request.limit - len(chosen))
        self.messages = _within_bytes(chosen)
        self.more = len(self.messages) < len(chosen)

    def _choose_limited(self, look: _Look) -> None:
        """The same, where the first of a queue may have to stand aside."""
        gates = self._gates = Gates(self.writing, self.queues)
        if gates.let_back():
            judge_refusals(self.writing, self.queues)
            look = self._look(self.request.limit)
        if gates.look_up(look.ready):
            self._choose_through(gates, look)
        else:
            self._choose_free(_by_queue(look.ready))
        gates.close(self.messages)
        self.more = self.more or gates.is_full

    def _choose_through(self, gates: Gates, look: _Look) -> None:
        """Choose among so many of each queue, and among more where that many were not enough."""
        depth = self.request.limit
        while self._choose_among(gates, look, depth):
            depth = self.request.limit + MOST_MOVED
            look = self._look(depth)
            gates.look_up(look.ready)

    def _choose_among(self, gates: Gates, look: _Look, depth: int) -> bool:
        """Go on choosing among the first of each queue; whether one queue has more behind them that must be seen."""
        taken = {found[SEQ] for found in self.messages}
        seen = {queue: list(islice(line, depth)) for queue, line in _by_queue(look.ready).items()}
        deep = {queue for queue, line in seen.items() if len(line) == depth}
        lines = {queue: deque(found for found in line if found[SEQ] not in taken) for queue, line in seen.items()}
        behind = False
        while len(self.messages) < self.request.limit and not self.more:
            free = {queue: line for queue, line in lines.items() if gates.clear(line)}
            behind = any(not lines[queue] for queue in deep)
            if behind or not free:
                break
            self._start(gates, self._take_turn(free))
        gates.move_aside()
        return behind

    def _start(self, gates: Gates, found: Found) -> None:
        self._size += found[SIZE]
        if self.messages and self._size > MAX_LEASE_BYTES:
            self.more = True
            return
        gates.start(found)
        self.messages.append(found)

    def _take_turn(self, lines: _Lines) -> Found:
        turn = next(iter(lines))
        if len(lines) > 1:
            turn, self.owed = next_turn(self.owed, {queue: self.request.queues[queue] for queue in lines})
        return lines[turn].popleft()


def _by_queue(ready: Sequence[Found]) -> dict[str, deque[Found]]:
    """The due messages of each queue, in the order in which they are given out."""
    queues: dict[str, list[Found]] = {}
    for found in ready:
        queues.setdefault(found[QUEUE], []).append(found)
    for messages in queues.values():
        messages.sort(key=lambda found: (-found[PRIORITY], found[DUE], found[SEQ]))
    return {queue: deque(messages) for queue, messages in queues.items()}


def _within_bytes(chosen: Sequence[Found]) -> list[Found]:
    """As many as fit into one answer; the first always does."""
    total, fitting = 0, list[Found]()
    for found in chosen:
        total += found[SIZE]
        if fitting and total > MAX_LEASE_BYTES:
            break
        fitting.append(found)
    return fitting
