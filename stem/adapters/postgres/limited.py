"""Leasing where limits are declared: one transaction lets back whose time has come, others judge who may start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

import asyncpg

from stem.adapters.postgres.judge import Allowance, Candidate, Judged, Ledger, Standing, bench_of, short
from stem.adapters.postgres.lease import Asking, lease_by, terms_of, wanted_of
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.rows import columns
from stem.adapters.postgres.statements import Book
from stem.clock import Micros
from stem.contracts.limits import MOST_MOVED, TaskLimit
from stem.tasks.rates import Rate

__all__ = ["lease_carefully", "limit_of", "standing_of"]

_SOON: Final[Micros] = 1_000_000
_OPENED = ("id", "room", "later")
_STANDING = ("name", "rate_key", "concurrency_key")
_ALLOWANCE = ("kind", "shared", "key")
_SHUT = ("id", "queue", "name", "rate_key", "concurrency_key", "opens_at")
_MOVED = ("at", "since", "gate")
_TAKEN = ("at", "seq", "was", "holding", "holding_key")


async def lease_carefully(line: Line, book: Book, asking: Asking) -> None:
    """Go on with a lease call that came upon something with a limit.

    Each step is a transaction: it locks what it needs of one kind in one order, and waits for nobody who waits for it.
    """
    asking.limited = False
    queues = list(asking.request.queues)
    gates = await line.run_in_transaction(partial(_let_back, book=book, queues=queues))
    await lease_by(_Carefully(line, book), asking)
    if gates:
        asking.next_opening = await line.run_in_transaction(partial(_look_again, book=book, ids=gates, queues=queues))


async def _let_back(connection: asyncpg.Connection, *, book: Book, queues: list[str]) -> list[str]:
    """Let as many as may start go back to their places in line, through the gates whose time has come: these.

    The gates are locked first: who ends a holder's lease after they were looked at opens them again. Whoever dies now
    does not look again, so that a gate at which somebody is left is looked at in a second at the latest.
    """
    gates = await book.fetch(connection, "limits/gates", asked=queues, most=MOST_MOVED)
    rows = await _standings(connection, book, gates)
    opened = [_opened(gate["id"], standing_of(row), row["now"]) for gate, row in zip(gates, rows, strict=True)]
    if opened:
        await book.fetch(connection, "limits/let_back", **columns(_OPENED, opened), most=MOST_MOVED)
    return [gate["id"] for gate in gates]


def _opened(gate: str, standing: Standing, now: Micros) -> tuple[str, int, Micros]:
    room = standing.room(now)
    later, soon = standing.opens_after(room, now), now + _SOON
    return gate, room, soon if later is None else min(later, soon)


async def _look_again(
    connection: asyncpg.Connection, *, book: Book, ids: list[str], queues: list[str]
) -> Micros | None:
    """Judge the gates once more: what was let back and did not start keeps no place. Until the next one opens."""
    gates = await book.fetch(connection, "limits/gates_again", ids=ids)
    rows = await _standings(connection, book, gates)
    times = [standing_of(row).opens_after(0, row["now"]) for row in rows]
    given = {"ids": [gate["id"] for gate in gates], "times": times}
    await book.fetch(connection, "limits/open", **given)
    (row,) = await book.fetch(connection, "limits/next_opening", asked=queues)
    return cast("Micros | None", row["next_opening"])


async def _standings(
    connection: asyncpg.Connection, book: Book, gates: Sequence[asyncpg.Record]
) -> list[asyncpg.Record]:
    keys = columns(_STANDING, [(row["name"], row["rate_key"], row["concurrency_key"]) for row in gates])
    return await book.fetch(connection, "limits/standing", **keys) if gates else []


@dataclass(frozen=True, slots=True)
class _Carefully:
    """Each round is a transaction that locks the allowances of whom it finds, and judges over them."""

    line: Line
    book: Book
    judges: bool = True

    async def ask(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        return await self.line.run(lambda connection: self.book.fetch(connection, name, **parameters))

    async def claim(self, asking: Asking, quotas: Mapping[str, int]) -> None:
        """Look at as many as are wanted, and where some of them may not start, at as many more as can be moved."""
        left, more = dict(quotas), 0
        while True:
            round_ = _Round(self.book, asking, {queue: count for queue, count in left.items() if count}, more)
            before, judged, rows = len(asking.given), *await self.line.run_in_transaction(round_.work)
            asking.give(rows)
            asking.moved, asking.owed = asking.moved + len(judged.aside), judged.owed
            asking.is_full = judged.is_full or judged.is_cut
            for delivery in asking.given[before:]:
                left[delivery.queue] -= 1
            more = MOST_MOVED - asking.moved
            if asking.is_over or not judged.aside or not any(left.values()):
                return


@dataclass(frozen=True, slots=True)
class _Round:
    """One transaction: up to so many of each queue, found among so many `more`."""

    book: Book
    asking: Asking
    quotas: Mapping[str, int]
    more: int

    async def work(self, connection: asyncpg.Connection) -> tuple[Judged, list[asyncpg.Record]]:
        """What was judged, and the rows of what was leased."""
        fetch = partial(self.book.fetch, connection)
        await fetch("limits/share")
        quotas = {"queues": list(self.quotas), "quotas": [count + self.more for count in self.quotas.values()]}
        found = await fetch("limits/choose", **wanted_of(self.asking), **quotas)
        ledger = await self._ledger(connection, candidates := [_candidate(row) for row in found])
        bench = bench_of(candidates, self.quotas, ledger, self.asking.owed, MOST_MOVED - self.asking.moved)
        weights, room = self.asking.request.queues, self.asking.bytes_left
        judged = bench.judge(weights=weights, quotas=self.quotas, bytes_left=room)
        if judged.aside:
            await fetch("limits/step_aside", **_aside(judged.aside, ledger))
        if judged.passed:  # who looked for it meanwhile found it locked
            await fetch("notify", queues=sorted(judged.passed), tasks=None)
        spent = [(*allowance, used) for allowance, used in sorted(ledger.changed.items())]
        asked = {**wanted_of(self.asking), **terms_of(self.asking), **columns((*_ALLOWANCE, "used"), spent)}
        judged_at = ledger.now or None  # they start when they were judged, or windows of the rate would shift
        taken = columns(_TAKEN, list(map(_taken, judged.taken)))
        return judged, await fetch("limits/claim", judged=judged_at, **asked, **taken)

    async def _ledger(self, connection: asyncpg.Connection, candidates: Sequence[Candidate]) -> Ledger:
        """The allowances that these need, locked in one order."""
        needed = {need for one in candidates for need in (one.rated, one.holding) if need is not None}
        if not needed:
            return Ledger({}, 0)
        rows = await self.book.fetch(connection, "limits/spend", **columns(_ALLOWANCE, sorted(needed)))
        used = {Allowance(row["kind"], row["shared"], row["key"]): row["used"] for row in rows}
        return Ledger(used, max(row["now"] for row in rows))


def _candidate(row: asyncpg.Record) -> Candidate:
    return Candidate(
        at=row["at"],
        seq=row["seq"],
        queue=row["queue"],
        since=row["since"],
        size=row["size"],
        state=row["state"],
        name=row["name"],
        rate_key=short(row["rate_key"]),
        concurrency_key=short(row["concurrency_key"]),
        limit=limit_of(row),
    )


def _taken(candidate: Candidate) -> tuple[object, ...]:
    holding = candidate.holding
    held = (None, None) if holding is None else (holding.shared, holding.key)
    return (candidate.at, candidate.seq, candidate.state, *held)


def _aside(aside: Sequence[Candidate], ledger: Ledger) -> dict[str, object]:
    """The gates at which they wait, in one order, and who waits at which."""
    places = [(one.at, one.since, one.gate) for one in aside]
    gates = {gate: one for one, (_, _, gate) in zip(aside, places, strict=True)}
    shut = [
        (gate, one.queue, one.name, one.rate_key, one.concurrency_key, ledger.standing(one).opens_after(0, ledger.now))
        for gate, one in sorted(gates.items())
    ]
    return {**columns(_SHUT, shut), **columns(_MOVED, places)}


def limit_of(row: asyncpg.Record) -> TaskLimit | None:
    """The limit that a row says; `None` where it says none, which is kept for those who stand aside for it still."""
    if row["interval"] is None and row["concurrency"] is None:
        return None
    rate = None if row["interval"] is None else Rate(row["interval"], row["tolerance"])
    return TaskLimit(name=row["name"], shared=row["shared"], rate=rate, concurrency=row["concurrency"])


def standing_of(row: asyncpg.Record) -> Standing:
    """How a limit stands, where nobody locked it."""
    return Standing(limit_of(row), row["ahead"], row["holders"])
