"""Looking without touching."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from stem.adapters.redis.changes import cut, dump
from stem.adapters.redis.connection import Server
from stem.adapters.redis.records import records_of, results_of
from stem.adapters.redis.scripts import KEYS
from stem.clock import Micros
from stem.contracts.queries import Page, QueueCount, StoredResult, TaskFilter
from stem.errors import ConfigError
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord

__all__ = ["ask_time", "count_names", "count_queues", "find_records", "find_results", "list_page"]

_AT_A_TIME: Final = 200
_LOOKED_AT: Final = 2_000
_NAMES: Final = KEYS.index("names")


async def ask_time(server: Server) -> Micros:
    """The time by which scripts decide."""
    (now,) = await server.run("records", 0)
    return int(now)


async def find_records(server: Server, ids: Sequence[str]) -> dict[str, TaskRecord]:
    """The records of those ids that are known."""
    found: dict[str, TaskRecord] = {}
    async for _, values in _ask(server, ids, envelopes=True):
        found |= records_of(values)
    return found


async def find_awaited(server: Server, ids: Sequence[str]) -> frozenset[str]:
    """Those for whose results a live message waits."""
    found: set[str] = set()
    for at in range(0, len(ids), _AT_A_TIME):
        found.update(task.decode() for task in await server.run("awaited", *ids[at : at + _AT_A_TIME]))
    return frozenset(found)


async def find_results(server: Server, ids: Sequence[str], *, even_expired: bool) -> dict[str, StoredResult]:
    """How those of the ids stand that are known."""
    found: dict[str, StoredResult] = {}
    async for now, values in _ask(server, ids, envelopes=False):
        found |= results_of(values, now, even_expired=even_expired)
    return found


async def _ask(server: Server, ids: Sequence[str], *, envelopes: bool) -> AsyncIterator[tuple[Micros, list[Any]]]:
    asked = list(dict.fromkeys(ids))
    for at in range(0, len(asked), _AT_A_TIME):
        now, *values = await server.run("records", int(envelopes), *asked[at : at + _AT_A_TIME])
        yield now, values


async def list_page(server: Server, where: TaskFilter, limit: int, after: str | None) -> Page:
    """The newest records before `after` for which the filter holds. Raises `ConfigError` for a foreign `after`."""
    if after is not None and not (after.isascii() and after.isdecimal()):
        raise ConfigError(
            expected="the `after` of an earlier page", found=repr(after), do="Pass it on as it came, or leave it out."
        )
    wanted, begin = dump(_conditions(where)), "+inf" if after is None else f"({after}"
    found: list[tuple[str, str]] = []
    while begin and len(found) <= limit:
        missing = min(limit + 1 - len(found), _AT_A_TIME)
        last, *values = await server.run("page", wanted, begin, missing, _LOOKED_AT)
        texts = [value.decode() for value in values]
        found += zip(texts[::2], texts[1::2], strict=True)
        begin = f"({last.decode()}" if last else ""
    shown = found[:limit]
    records = await find_records(server, [task for _, task in shown])
    more = shown[-1][0] if shown and len(found) > limit else None
    return Page(tuple(records[task] for _, task in shown if task in records), more)


def _conditions(where: TaskFilter) -> dict[str, object]:
    given: dict[str, object] = {
        "states": None if where.states is None else [state.value for state in where.states],
        "queue": where.queue,
        "name": where.name,
        "root": where.root,
        "worker": where.worker,
        "tag": where.tag,
        "since": where.since,
        "until": where.until,
        "ended_since": where.ended_since,
        "ended_until": where.ended_until,
        "group": where.group,
        "dead": where.dead or None,
    }
    return {name: cut(value) if isinstance(value, int) else value for name, value in given.items() if value is not None}


async def count_queues(server: Server) -> tuple[QueueCount, ...]:
    """Every queue with its numbers by state."""
    _, tallies, *due = await server.run("counts")
    oldest = {due[at].decode(): int(due[at + 1]) for at in range(0, len(due), 2)}
    counts: dict[str, dict[TaskState, int]] = {}
    for at in range(0, len(tallies), 2):
        state, _, queue = tallies[at].decode().partition(":")
        counts.setdefault(queue, {})[TaskState(state)] = int(tallies[at + 1])
    return tuple(QueueCount(queue, counts[queue], oldest.get(queue)) for queue in sorted(counts))


async def count_names(server: Server) -> dict[str, int]:
    """Every task name with the number of its records."""
    found: dict[bytes, bytes] = await server.command("HGETALL", server.keys[_NAMES])
    return dict(sorted((name.decode(), int(tally)) for name, tally in found.items()))
