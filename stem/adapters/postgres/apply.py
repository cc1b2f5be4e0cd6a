"""Commit: a batch of changes wave by wave; what cannot be taken is found and refused alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import asyncpg

from stem.adapters.postgres.alone import apply_alone
from stem.adapters.postgres.errors import DRIVER_ERRORS, is_blocked, is_guilty, is_too_much_news, translate
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.plan import Kind, waves
from stem.adapters.postgres.statements import Book, Fetches
from stem.adapters.postgres.unique import publish_unique
from stem.adapters.postgres.url import Place
from stem.adapters.postgres.weave import end_linked, publish_linked
from stem.adapters.postgres.write import UNDONE, Fenced, TakenBack, Writing
from stem.contracts.changes import APPLIED, Change, Publish, RefusalCode, Refused, Verdict
from stem.contracts.store import Notice
from stem.contracts.wellformed import refuse

__all__ = ["Desk", "write_kind"]

_FENCED_KINDS = (Kind.START, Kind.REPORT, Kind.CONSUME, Kind.FOLLOW, Kind.ENDED)
_SEVERAL = (Kind.UNIQUE, Kind.ALONE, Kind.LINKED, Kind.ENDED)
"""The kinds that take several statements, and so a transaction."""
_HURRY = "SET LOCAL lock_timeout = '50ms'"
_HELD_UP = Refused(RefusalCode.HELD_UP, "an open transaction has the unique key")


@dataclass(slots=True)
class Desk:
    """Where commits are done, on lines that do not wait for each other: fenced changes, publishes, and publishes under
    unique keys, which an open transaction of somebody may hold."""

    place: Place
    book: Book
    fenced: Line
    free: Line
    keyed: Line
    tell: Callable[[Notice], None]
    largest: int

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """One verdict per change, in order.

        After a crash, or an error of the engine, each change is there whole or not at all. Raises that error, after
        everything that could be done was done.
        """
        batch = _Batch(self, changes)
        for wave in waves([(place, change) for place, change in enumerate(changes) if batch.is_sound(place, change)]):
            works = [batch.work(kind, sorted(places, key=batch.order)) for kind, places in wave.members.items()]
            await _together(works)
            if batch.undone:
                await batch.finish()
        if batch.blocked is not None:
            raise translate(batch.blocked, self.place) from batch.blocked
        return [batch.verdicts[place] for place in range(len(changes))]


@dataclass(slots=True)
class _Batch:
    desk: Desk
    changes: Sequence[Change]
    verdicts: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    blocked: Exception | None = None
    undone: list[int] = field(default_factory=list[int])
    """Ends of this wave that others wait for."""
    has_waited: bool = False
    held_up: set[str] = field(default_factory=set[str])

    def is_sound(self, place: int, change: Change) -> bool:
        """Whether a change is well formed; the verdict of one that is not is noted."""
        refused = refuse(change, self.desk.largest)
        if refused is not None:
            self.verdicts[place] = refused
        return refused is None

    def order(self, place: int) -> tuple[str, int]:
        """Rows are locked in the order of ids; what is published keeps its order."""
        fence = self.changes[place].fence
        return ("" if fence is None else fence.task_id, place)

    async def work(self, kind: Kind, places: list[int], *, silently: bool = False) -> None:
        """Do changes of one kind, and halve them until one that the engine cannot take stands alone."""
        places = self._without_held_up(places)
        if not places:
            return
        try:
            await self._at_once(kind, places, silently=silently)
        except DRIVER_ERRORS as error:
            if is_too_much_news(error) and not silently:
                await self.work(kind, places, silently=True)
            elif not (is_guilty(error) or is_blocked(error)):
                raise translate(error, self.desk.place) from error
            else:
                await self._part(error, kind, places, silently=silently)

    async def _part(self, error: Exception, kind: Kind, places: list[int], *, silently: bool) -> None:
        """Find the change that is the reason, and note what is to be said of it."""
        self.has_waited |= is_blocked(error)
        if len(places) > 1:
            middle = len(places) // 2
            await self.work(kind, places[:middle], silently=silently)
            await self.work(kind, places[middle:], silently=silently)
        elif not is_blocked(error):
            self.verdicts[places[0]] = Refused(RefusalCode.REJECTED, str(error))
        elif keys := _keys_of(self.changes[places[0]]):
            self.held_up |= keys
            self.verdicts[places[0]] = _HELD_UP
        else:
            self.blocked = error

    def _without_held_up(self, places: list[int]) -> list[int]:
        """A key that was waited for once is not waited for again."""
        if not self.held_up:
            return places
        held_up = {place for place in places if self.held_up & _keys_of(self.changes[place])}
        self.verdicts.update(dict.fromkeys(held_up, _HELD_UP))
        return [place for place in places if place not in held_up]

    async def finish(self) -> None:
        """Do what the statements of this wave left undone, in the order of the batch."""
        undone, self.undone = sorted(self.undone), []
        await self.work(Kind.ENDED, undone)

    async def _at_once(self, kind: Kind, places: list[int], *, silently: bool) -> None:
        changes = [self.changes[place] for place in places]
        keyed = bool(_keys_of(changes[0]))
        fenced = kind in _FENCED_KINDS or changes[0].fence is not None
        line = self.desk.keyed if keyed else self.desk.fenced if fenced else self.desk.free
        attempt = line.transact if kind in _SEVERAL else line.attempt

        async def work(connection: asyncpg.Connection) -> tuple[list[Verdict], Notice]:
            if keyed and self.has_waited:
                await connection.execute(_HURRY)
            return await write_kind(connection, self.desk.book, kind, changes, silently=silently)

        try:
            verdicts, notice = await attempt(work)
        except TakenBack as back:
            verdicts, notice = [back.verdict], Notice()
        self.verdicts.update(zip(places, verdicts, strict=True))
        self.undone += [place for place, verdict in zip(places, verdicts, strict=True) if verdict is UNDONE]
        self.desk.tell(notice)


def _keys_of(change: Change) -> set[str]:
    """The unique keys for which a change asks that concerns no lease: an open transaction of somebody may hold them."""
    if change.fence is not None:
        return set()
    return {write.unique.key for write in change.writes if isinstance(write, Publish) and write.unique is not None}


async def write_kind(
    connection: Fetches, book: Book, kind: Kind, changes: list[Change], *, silently: bool = False
) -> tuple[list[Verdict], Notice]:
    """Do the changes of one kind of a wave, and notify the other stores when they are committed."""
    writing = Writing(connection, book, "never" if silently else "once" if kind in _SEVERAL else "each")
    return await _apply(writing, kind, changes), writing.notice()


async def _apply(writing: Writing, kind: Kind, changes: list[Change]) -> list[Verdict]:
    return await (_apply_fenced if kind in _FENCED_KINDS else _apply_free)(writing, kind, changes)


async def _apply_free(writing: Writing, kind: Kind, changes: list[Change]) -> list[Verdict]:
    published = [write for change in changes for write in _published(change)]
    if kind is Kind.PUBLISH:
        await writing.publish(published)
        return [APPLIED] * len(changes)
    if kind is Kind.ALONE:
        return [await apply_alone(writing, change) for change in changes]
    verdicts = await (publish_unique(writing, published) if kind is Kind.UNIQUE else publish_linked(writing, changes))
    await writing.tell()
    return verdicts


async def _apply_fenced(writing: Writing, kind: Kind, changes: list[Change]) -> list[Verdict]:
    if kind is Kind.ENDED:
        return await _end(writing, changes)
    members = [Fenced.of(change) for change in changes]
    if kind is Kind.FOLLOW:
        return await writing.follow(members, list(map(_published, changes)))
    if kind is Kind.START:
        return await writing.start(members)
    return await writing.report(members) if kind is Kind.REPORT else await writing.consume(members)


async def _end(writing: Writing, changes: list[Change]) -> list[Verdict]:
    """Ends that others wait for, and of holders.

    Rows are locked in the order of ids, what follows is decided in that of the batch.
    """
    members = [Fenced.of(change) for change in changes]
    order = sorted(range(len(members)), key=lambda place: members[place].fence.task_id)
    follow_ups = [_published(changes[place]) for place in order]
    verdicts = await writing.follow([members[place] for place in order], follow_ups, linked=True)
    ended = [member.fence.task_id for member in members]
    await end_linked(writing, [task for task in ended if task in writing.awaited])
    await writing.free()
    await writing.tell()
    found = dict(zip(order, verdicts, strict=True))
    return [found[place] for place in range(len(members))]


def _published(change: Change) -> list[Publish]:
    return [write for write in change.writes if isinstance(write, Publish)]


async def _together(works: Sequence[Awaitable[None]]) -> None:
    """All of them, also when one fails; its error comes after the end of the others."""
    if len(works) == 1:
        await works[0]
        return
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if outcome is not None:
            raise outcome
