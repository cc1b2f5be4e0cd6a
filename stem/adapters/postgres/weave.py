"""Reads what a web wants to know, locking it, and writes what has become of it; in the transaction of who calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import asyncpg

from stem.adapters.postgres.links import play, want
from stem.adapters.postgres.rows import PUBLISH, Row, columns, packed, publish_row
from stem.adapters.postgres.web import Reading, TiedGroup, TiedTask, Wanted, Web
from stem.adapters.postgres.write import Writing
from stem.contracts.changes import APPLIED, Change, Publish, RefusalCode, Refused, Verdict
from stem.contracts.retention import KEEP_AT_LEAST, KEEP_OPEN_GROUP
from stem.contracts.upstream import REMOVED
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = ["end_linked", "find_upstream", "publish_linked", "remove_linked", "weave"]

T = TypeVar("T")

_OVERTAKEN: Final = "the same was published or opened at the same moment"
_TIES: Final = ("after_kind", "after_id", "group_id", "member_index", "held", "awaited")
_GROUP: Final = ("id", "state", "filled", "joined", "won", "loose", "closes")
_LATEST: Final = 1 << 60
_OPENED: Final = ("id", "size", "policy", "root", "result_ttl")


async def publish_linked(
    writing: Writing, changes: Sequence[Change], duplicates: Mapping[str, Failure] = MappingProxyType({})
) -> list[Verdict]:
    """Publish messages with links, open and seal groups; each change whole or not at all.

    What is among the `duplicates` is cancelled at once, with that error. Raises `SerializationError` when somebody else
    publishes or opens the same at the same moment; done again, the transaction finds it there.
    """

    def play_all(web: Web) -> tuple[Web, list[Verdict]]:
        for change in changes:
            for write in change.writes:
                want(web, write)
        verdicts: list[Verdict] = []
        for change in () if web.wanted else changes:
            trial = web.fork()
            verdicts.append(play(trial, change.writes, duplicates))
            web = trial if verdicts[-1] is APPLIED else web
        return web, verdicts

    return await weave(writing, play_all)


async def end_linked(writing: Writing, tasks: Sequence[str]) -> None:
    """What follows from the end of tasks that others wait for, one after the other in this order."""

    def play_ends(web: Web) -> tuple[Web, None]:
        for task in tasks:
            web.task(task)
        if not web.wanted:
            web.end(tasks)
        return web, None

    if tasks:
        await weave(writing, play_ends)


async def remove_linked(writing: Writing, what: Sequence[After]) -> None:
    """What follows when these groups and their members go without an end."""

    def play_removal(web: Web) -> tuple[Web, None]:
        web.remove(what, REMOVED)
        return web, None

    await weave(writing, play_removal)


async def find_upstream(writing: Writing, after: After | None, member: Member | None) -> bool | Refused:
    """Whether what has these links is held now; why not, when what it would wait for is gone or has failed."""

    def look(web: Web) -> tuple[Web, bool | Refused]:
        is_open = web.is_open(member)
        if after is None:
            return web, is_open
        if not web.knows(after):
            return web, Refused(RefusalCode.UNKNOWN_ID, f"no {after.kind} {after.id} to wait for")
        succeeded, state = web.upstream(after)
        if succeeded is False:
            return web, Refused(RefusalCode.INVALID_TRANSITION, f"{after.kind} {after.id} is {state}")
        return web, is_open or succeeded is None

    return await weave(writing, look)


async def weave(writing: Writing, play_in: Callable[[Web], tuple[Web, T]]) -> T:
    """Play until nothing more has to be read, then write; what `play_in` returned."""
    reading = Reading()
    while True:
        web, value = play_in(Web(reading))
        if not web.wanted:
            await _write(writing, web)
            return value
        await _read(writing, reading, web.wanted)


async def _read(writing: Writing, reading: Reading, wanted: Wanted) -> None:
    """Tasks are locked before groups, as who ends a task does it, and those of one kind in the order of their ids."""
    if wanted.ids:
        known = {row["id"] for row in await writing.fetch("known", ids=sorted(wanted.ids))}
        reading.ids.update({task: task in known for task in wanted.ids})
    if wanted.tasks:
        rows = await writing.fetch("groups/tasks", ids=sorted(wanted.tasks))
        reading.tasks.update({**dict.fromkeys(wanted.tasks), **{row["id"]: _task(row) for row in rows}})
    if wanted.heirs:
        await _read_heirs(writing, reading, wanted.heirs)
    if wanted.members:
        await writing.fetch("groups/held_members", groups=sorted(wanted.members))
        reading.members.update(wanted.members)
    if wanted.groups:
        rows = await writing.fetch("groups/groups", ids=sorted(wanted.groups))
        reading.groups.update({**dict.fromkeys(wanted.groups), **{row["id"]: _group(row) for row in rows}})
    if wanted.places:
        names = ("group_id", "place")
        rows = await writing.fetch("groups/places", **columns(names, sorted(wanted.places)))
        reading.places.update({**dict.fromkeys(wanted.places, False), **{(row[0], row[1]): True for row in rows}})


async def _read_heirs(writing: Writing, reading: Reading, wanted: Iterable[After]) -> None:
    asked = sorted((after.kind, after.id) for after in wanted)
    rows = await writing.fetch("groups/heirs", **columns(("kind", "id"), asked))
    heirs: dict[After, list[str]] = {after: [] for after in wanted}
    for row in sorted(rows, key=lambda row: row["seq"]):
        task = reading.tasks[row["id"]] = _task(row)
        if task.after is not None:
            heirs[task.after].append(task.id)
    reading.heirs.update({after: tuple(tasks) for after, tasks in heirs.items()})


async def _write(writing: Writing, web: Web) -> None:
    """Groups before what they let go, ends before what is let go by a whole group."""
    await _open(writing, web)
    await _publish(writing, web)
    await _await(writing, web)
    moved = [_moved(web, group) for group in sorted(web.groups.values(), key=lambda group: group.id)]
    if moved:
        await writing.fetch(
            "groups/move", **columns(_GROUP, moved), sealed=GroupState.SEALED.value, least=KEEP_AT_LEAST
        )
    await writing.end_waiting(web.errors)
    await _release(writing, web)


async def _open(writing: Writing, web: Web) -> None:
    rows = [
        (write.group, write.size, write.policy, write.root, min(write.result_ttl, _LATEST))
        for write in sorted(web.opened.values(), key=lambda write: write.group)
    ]
    if rows:
        given = {"open": GroupState.OPEN.value, "kept_open": KEEP_OPEN_GROUP}
        made = await writing.fetch("groups/open", **columns(_OPENED, rows), **given)
        if len(made) < len(rows):
            raise asyncpg.SerializationError(_OVERTAKEN)


async def _publish(writing: Writing, web: Web) -> None:
    rows = [_row(web, write) for write in web.published.values()]
    if rows:
        names = (*PUBLISH[:-1], *_TIES)
        (row,) = await writing.fetch("groups/publish", **packed(names, rows), initial=TaskState.QUEUED.value)
        if row["made"] < len(rows):
            raise asyncpg.SerializationError(_OVERTAKEN)
        writing.queues.update(row["queues"] or ())


def _row(web: Web, write: Publish) -> Row:
    task, after, member = web.tasks[write.envelope.id], write.after, write.member or Member("")
    awaited = member.index is not None or After(task.id) in web.heirs
    ties = (None, None) if after is None else (after.kind, after.id)
    held = task.held or task.id in web.errors
    return (*publish_row(write)[:-1], *ties, member.group or None, member.index, held, awaited)


async def _await(writing: Writing, web: Web) -> None:
    """Note that somebody waits for these; one that has ended is not removed in this very moment."""
    upstream = sorted(after.id for after in web.heirs if after.kind == "task" and after.id not in web.published)
    if upstream:
        await writing.fetch("groups/await", ids=upstream, least=KEEP_AT_LEAST)


def _moved(web: Web, group: TiedGroup) -> Row:
    before = web.reading.groups.get(group.id)
    closes = group.state.is_closed and (before is None or not before.state.is_closed)
    return (group.id, group.state.value, group.filled, group.joined, group.succeeded, group.loose, closes)


async def _release(writing: Writing, web: Web) -> None:
    stored = {task.id for task in web.reading.tasks.values() if task is not None and task.held}
    released = sorted(
        task.id for task in web.tasks.values() if task.id in stored and not task.held and task.id not in web.errors
    )
    rows: list[asyncpg.Record] = []
    if released:
        rows += await writing.fetch("groups/release", ids=released)
    sealed = sorted(set(web.sealed) - web.opened.keys())
    if sealed:
        ends = {"won": TaskState.SUCCEEDED.value, "met": GroupState.MET.value}
        rows += await writing.fetch("groups/release_members", groups=sealed, **ends)
    writing.queues.update(row[0] for row in rows)


def _task(row: asyncpg.Record) -> TiedTask:
    return TiedTask(
        id=row["id"],
        state=TaskState(row["state"]),
        held=row["held"],
        after=None if row["after_id"] is None else After(row["after_id"], row["after_kind"]),
        member=None if row["group_id"] is None else Member(row["group_id"], row["member_index"]),
        awaited=row["awaited"],
        generation=row["generation"],
    )


def _group(row: asyncpg.Record) -> TiedGroup:
    return TiedGroup(
        id=row["id"],
        size=row["size"],
        policy=row["policy"],
        state=GroupState(row["state"]),
        filled=row["filled"],
        joined=row["joined"],
        succeeded=row["won"],
        loose=row["loose"],
    )
