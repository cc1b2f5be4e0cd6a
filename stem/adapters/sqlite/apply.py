"""Commit: a batch of changes in one transaction, wave by wave; what cannot be taken is found and refused alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from stem.adapters.sqlite.alone import apply_alone
from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.ends import consume
from stem.adapters.sqlite.errors import is_of_the_engine
from stem.adapters.sqlite.plan import Kind, Wave, is_one_statement, waves
from stem.adapters.sqlite.write import Fenced, Writing
from stem.clock import Clock
from stem.contracts.changes import APPLIED, Change, Publish, RefusalCode, Refused, Verdict
from stem.contracts.retention import Retention
from stem.contracts.store import Notice
from stem.contracts.wellformed import refuse

__all__ = ["Outcome", "Terms", "apply_changes", "apply_waves"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every commit of a store."""

    clock: Clock
    retention: Retention
    largest: int

    def writing(self, connection: sqlite3.Connection) -> Writing:
        """What writes a batch at this moment."""
        return Writing(connection, self.clock.now(), self.retention)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdicts of a batch, in order, and what others should hear of it."""

    verdicts: list[Verdict]
    notices: tuple[Notice, ...]


def apply_changes(connection: sqlite3.Connection, changes: Sequence[Change], terms: Terms) -> Outcome:
    """Apply the batch.

    A change that the engine cannot take makes the batch fail; the batch is then halved until that change stands alone.
    After a crash each change is there whole or not at all. Raises the driver's error when the database is the reason.
    """
    refusals = [refuse(change, terms.largest) for change in changes]
    sound = [(place, change) for place, change in enumerate(changes) if refusals[place] is None]
    verdicts: dict[int, Verdict] = {place: refusal for place, refusal in enumerate(refusals) if refusal is not None}
    notices: list[Notice] = []
    for done, notice in _halving(connection, sound, terms):
        verdicts.update(done)
        notices.append(notice)
    return Outcome([verdicts[place] for place in range(len(changes))], tuple(notices))


_Numbered = Sequence[tuple[int, Change]]


def _halving(
    connection: sqlite3.Connection, changes: _Numbered, terms: Terms
) -> Iterator[tuple[dict[int, Verdict], Notice]]:
    if not changes:
        return
    try:
        yield _in_one(connection, changes, terms)
    except (sqlite3.Error, ValueError, OverflowError, TypeError) as error:
        if is_of_the_engine(error):
            raise
        if len(changes) == 1:
            yield {changes[0][0]: Refused(RefusalCode.REJECTED, str(error))}, Notice()
            return
        middle = len(changes) // 2
        yield from _halving(connection, changes[:middle], terms)
        yield from _halving(connection, changes[middle:], terms)


def _in_one(connection: sqlite3.Connection, changes: _Numbered, terms: Terms) -> tuple[dict[int, Verdict], Notice]:
    by_place = dict(changes)
    planned = waves(changes)
    with nullcontext() if is_one_statement(planned, by_place) else transaction(connection):
        writing = terms.writing(connection)
        verdicts = apply_waves(writing, planned, by_place)
    return verdicts, writing.notice()


def apply_waves(writing: Writing, planned: Sequence[Wave], changes: dict[int, Change]) -> dict[int, Verdict]:
    """One wave after the other; the verdicts by the places of their changes."""
    verdicts: dict[int, Verdict] = {}
    for wave in planned:
        verdicts.update(_apply_wave(writing, wave, changes))
    return verdicts


def _apply_wave(writing: Writing, wave: Wave, changes: dict[int, Change]) -> Iterator[tuple[int, Verdict]]:
    for kind, places in wave.members.items():
        yield from zip(places, _apply_kind(writing, kind, [changes[place] for place in places]), strict=True)


def _apply_kind(writing: Writing, kind: Kind, changes: list[Change]) -> list[Verdict]:
    if kind is Kind.PUBLISH:
        writing.publish([write for change in changes for write in change.writes if isinstance(write, Publish)])
        return [APPLIED] * len(changes)
    if kind is Kind.ALONE:
        return [apply_alone(writing, change) for change in changes]
    members = [Fenced.of(change) for change in changes]
    if kind is Kind.START:
        return writing.start(members)
    return writing.report(members) if kind is Kind.REPORT else consume(writing, members)
