"""What in a server's settings can lose accepted work, or makes work slow: sentences for whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import asyncpg

from stem.adapters.postgres.connection import Manner, Server, connect, hang_up
from stem.adapters.postgres.url import Place
from stem.errors import StemError

__all__ = ["warnings_of"]

_LONG_SECONDS: Final = 600
_FULL: Final = 0.5
_SETTINGS: Final = (
    "SELECT name, setting FROM pg_settings "
    "WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes', 'transaction_read_only', 'autovacuum')"
)
_OLDEST: Final = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::bigint AS seconds, pid, application_name "
    "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
    "ORDER BY xact_start LIMIT 1"
)
_NOTICES: Final = "SELECT pg_notification_queue_usage()"
_POLL: Final = "whoever waits for what others do looks once a second instead."
_POOLED: Final = (
    f"A PgBouncer, or something like it, stands before the server: nobody can listen through it, and {_POLL}"
    " Say how to go past it: listen=host:port in the URL."
)
_POOLED_TOO: Final = (
    f"The address in listen= leads to a PgBouncer, or something like it: nobody can listen through it, and {_POLL}"
    " Give the address of the server itself."
)
_ADVICE: Final[Mapping[tuple[str, str], str]] = {
    ("synchronous_commit", "off"): (
        "synchronous_commit=off: what was accepted in the last moments before the server dies may be missing. Set it"
        " to `on` for the user of this URL."
    ),
    ("fsync", "off"): "fsync=off: a loss of power may damage the database. Set it to `on`.",
    ("full_page_writes", "off"): "full_page_writes=off: a loss of power may damage the database. Set it to `on`.",
    ("transaction_read_only", "on"): "This server takes no writes: it is a replica, or set to read only.",
    ("autovacuum", "off"): "autovacuum=off: claims become slower without end. Set it to `on`.",
}


async def warnings_of(connection: asyncpg.Connection, place: Place, server: Server) -> tuple[str, ...]:
    """What should be changed, as sentences with the advice; empty when nothing should."""
    settings = {row[0]: row[1] for row in await connection.fetch(_SETTINGS)}
    oldest = await connection.fetchrow(_OLDEST)
    used = float(await connection.fetchval(_NOTICES))
    found = [sentence for item, sentence in _ADVICE.items() if settings.get(item[0]) == item[1]]
    found += _of_open_transaction(oldest)
    if used > _FULL:
        found.append(f"The queue of notices is {used:.0%} full: a connection that listens has been in a transaction.")
    return (*found, *await _of_listening(place, server))


def _of_open_transaction(oldest: asyncpg.Record | None) -> Iterator[str]:
    """A snapshot that somebody holds keeps the server from cleaning up behind every claim."""
    if oldest is not None and oldest["seconds"] > _LONG_SECONDS:
        yield (
            f"A transaction has been open for {oldest['seconds'] // 60} minutes (pid {oldest['pid']}, "
            f"{oldest['application_name'] or 'no name'}): claims become slower until it ends. Find out what it waits"
            " for, and set idle_in_transaction_session_timeout."
        )


async def _of_listening(place: Place, server: Server) -> tuple[str, ...]:
    if place.listen is not None:
        return await _of_listening_at(replace(place, dsn=place.listen))
    if server.behind_bouncer:
        return (_POOLED,)
    return ()


async def _of_listening_at(listening: Place) -> tuple[str, ...]:
    server = Server(behind_bouncer=False)
    try:
        connection = await connect(listening, server, Manner(name="stem doctor", steady=False))
    except StemError as error:
        return (f"Nobody can listen at the address in listen= ({error.found}), and {_POLL} {error.do}",)
    await hang_up(connection)
    return (_POOLED_TOO,) if server.behind_bouncer else ()
