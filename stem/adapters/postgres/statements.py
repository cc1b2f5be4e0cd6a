"""The statements of the engine, by name: each is a file in `sql/`, read once, at its first use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import asyncpg

from stem.adapters.postgres.rows import Keeps, keeps_of
from stem.clock import Clock, SystemClock
from stem.contracts.retention import Retention

__all__ = ["FOLDER", "Book", "Fetches", "quoted"]

FOLDER: Final = Path(__file__).parent / "sql"
_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")
_ROWS: Final = re.compile(r"\{rows\s([^}]+)\}")
_FRAGMENTS: Final = {
    "now": "coalesce(:manual::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)",
    # A server that was copied, and a replica, have the same names and ids as the one they come from, but began later.
    "home": "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint || ' ' || current_database()",
    # Neither comparison can be turned round, so that no plan reads the table to look into what was given.
    "fenced": (
        "t.id = ANY (ARRAY[g.task]) AND t.nonce IS NOT DISTINCT FROM g.nonce AND t.fence IS NOT DISTINCT FROM g.counter"
    ),
    # In the order of a `Delivery`, whose fence has the first two.
    "message": (
        "t.id, t.fence, t.body, t.name, t.queue, t.attempt, t.max_retries, t.generation, t.deliveries, t.crashes, "
        "t.lost, t.lease, t.published_at, t.expires_at, "
        "coalesce(t.expires_at <= c.now, false) AND NOT t.began AS expired, "
        "t.ignore_result AND NOT t.awaited AS ignore_result, t.started, t.cancel_requested, t.parks"
    ),
    "its message": (
        "d.id, d.fence, d.body, d.name, d.queue, d.attempt, d.max_retries, d.generation, d.deliveries, d.crashes, "
        "d.lost, d.lease, d.published_at, d.expires_at, d.expired, d.ignore_result, d.started, d.cancel_requested, "
        "d.parks"
    ),
    "schedule": "s.id, s.spec, s.enabled, s.next_fire, s.last_fire, s.version",
    "length": (
        "CASE WHEN cardinality(:names::text[]) = 0 THEN :lease::bigint ELSE coalesce((SELECT l.length "
        "FROM unnest(:names::text[], :lengths::bigint[]) AS l (name, length) WHERE l.name = t.name), :lease::bigint) "
        "END"
    ),
    "notify": (
        "(SELECT pg_notify(:channel::text, CASE WHEN octet_length(n.news) <= 7900 THEN n.news "
        "ELSE json_build_array(:sender::text)::text END) "
        "FROM (SELECT json_build_array(:sender::text, told.queues, told.tasks)::text AS news OFFSET 0) AS n "
        "WHERE :channel::text IS NOT NULL AND (told.queues IS NOT NULL OR told.tasks IS NOT NULL))"
    ),
    # For each 150 tasks one, which fits if their ids are ours; with the results that are small, where all of it fits.
    "notify ends": (
        "(SELECT count(pg_notify(:channel::text, CASE WHEN octet_length(n.whole) <= 7900 THEN n.whole "
        "WHEN octet_length(n.news) <= 7900 THEN n.news ELSE json_build_array(:sender::text)::text END)) "
        "FROM generate_series(1, greatest(cardinality(told.tasks), 1), 150) AS s (first) CROSS JOIN LATERAL (SELECT "
        "json_build_array(:sender::text, told.queues, p.tasks, NULL, p.results)::text AS whole, "
        "json_build_array(:sender::text, told.queues, p.tasks)::text AS news FROM (SELECT "
        "told.tasks[s.first : s.first + 149] AS tasks, told.results[s.first : s.first + 149] AS results) AS p "
        "OFFSET 0) AS n "
        "WHERE :channel::text IS NOT NULL AND (told.queues IS NOT NULL OR told.tasks IS NOT NULL))"
    ),
}


class Fetches(Protocol):
    """What a statement is sent over: a connection, or what stands for one."""

    async def fetch(self, query: str, /, *args: object) -> list[asyncpg.Record]:
        """The rows of a statement whose parameters are numbered."""
        ...


_USUAL: Final = Retention()


@dataclass(slots=True)
class Book:
    """The statements for one schema, one clock and one sender of notices.

    The server's clock decides; a clock that is not the system's, as tests have, is passed to each statement instead.
    """

    schema: str
    clock: Clock
    sender: str
    retention: InitVar[Retention] = _USUAL
    keeps: Keeps = field(init=False)
    channel: str = field(init=False)
    """On which channel stores of this schema tell each other. Its name is a secret of those who may read the schema."""
    _known: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = field(
        default_factory=dict[tuple[str, str], tuple[str, tuple[str, ...]]]
    )

    def __post_init__(self, retention: Retention) -> None:
        self.keeps = keeps_of(retention)
        self.channel = f"stem:{self.schema}"

    def text(self, name: str, conditions: str = "") -> str:
        """The text of `sql/<name>.sql` with the schema and the shared fragments filled in."""
        text = _read(name)
        for key, part in _PARTS.items():
            text = text.replace(f"{{{key}}}", part().rstrip())
        text = _ROWS.sub(lambda found: _rows(found[1]), text)
        for key, value in {**_FRAGMENTS, "conditions": conditions, "schema": quoted(self.schema)}.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    async def fetch(self, connection: Fetches, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement. Given `channel=None` it tells nobody of what it did."""
        return await self._fetch(connection, name, "", parameters)

    async def fetch_where(
        self, connection: Fetches, name: str, conditions: str, /, **parameters: object
    ) -> list[asyncpg.Record]:
        """The rows of a statement for which the conditions hold."""
        return await self._fetch(connection, name, conditions, parameters)

    async def _fetch(
        self, connection: Fetches, name: str, conditions: str, parameters: dict[str, object]
    ) -> list[asyncpg.Record]:
        found = self._known.get((name, conditions))
        if found is None:
            found = self._known[name, conditions] = numbered(self.text(name, conditions))
        text, names = found
        parameters["manual"] = None if isinstance(self.clock, SystemClock) else self.clock.now()
        parameters["sender"] = self.sender
        parameters.setdefault("channel", self.channel)
        return await connection.fetch(text, *(parameters[given] for given in names))


def numbered(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its named parameters numbered, and their names in that order."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text), names


def _rows(listed: str) -> str:
    """A query for the rows that `rows.packed` sends, of these names and types."""
    names, types = zip(*(column.split() for column in listed.split(",")), strict=True)
    columns = list(zip(names, types, strict=True))
    values = ", ".join(f"coalesce(g.{name}, :{name}_alike::{kind}) AS {name}" for name, kind in columns)
    arrays = ", ".join(f":{name}::{kind}[]" for name, kind in columns)
    return f"SELECT {values} FROM unnest({arrays}) AS g ({', '.join(names)})"  # noqa: S608  # of the files in `sql/`


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _candidates(lock: str) -> str:
    """What may be given to a worker, queue by queue: shared by who counts it and who takes it."""
    return _read("parts/candidates").replace("{lock}", lock)


@cache
def _read(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


_PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "candidates": lambda: _candidates(""),
    "candidates for update skip locked": lambda: _candidates("FOR UPDATE SKIP LOCKED"),
    "found": lambda: _read("parts/found").replace("{candidates}", _candidates("FOR UPDATE SKIP LOCKED").rstrip()),
    "placed": lambda: _read("parts/placed"),
    "claimed": lambda: _read("parts/claimed").replace("{opening}", "NULL::bigint"),
    "claimed among limits": lambda: _read("parts/claimed").replace("{opening}", "(\n{next opening}\n    ) - c.now"),
    "leased": lambda: _read("parts/leased"),
    "next due": lambda: _read("parts/next_due"),
    "next opening": lambda: _read("parts/next_opening"),
    "stirred": lambda: _read("parts/stirred"),
    "release": lambda: _read("parts/release"),
    "consume": lambda: _read("parts/consume"),
    "publish": lambda: _read("parts/publish").replace("{allowed}", ""),
    # `IS TRUE` keeps the condition from becoming a join, and joins are not hashed here.
    "publish what was allowed": lambda: _read("parts/publish").replace(
        "{allowed}", "    WHERE (g.by IN (SELECT d.id FROM done AS d)) IS TRUE\n"
    ),
    "pinned": lambda: _read("parts/pinned"),
    "counted gone": lambda: _read("parts/counted_gone"),
    "let go": lambda: _read("parts/let_go"),
}
