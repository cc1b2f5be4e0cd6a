"""One connection: opened, looked at, closed. What is found out about the server is shared by all of a store."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from stem.adapters.postgres.errors import DRIVER_ERRORS, is_bouncer, translate
from stem.adapters.postgres.url import Place
from stem.errors import ConfigError

__all__ = ["Manner", "Server", "connect", "hang_up"]

OLDEST: Final = 13
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 15.0
_PLAIN: Final = {
    "lock_timeout": "1200",  # more than the deadlock_timeout of most servers: a deadlock is to be found to be one
    "idle_in_transaction_session_timeout": "30000",
    "default_transaction_isolation": "read committed",
}
_STEADY: Final = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""One plan for all sizes of the tables: what was given is looked up by index, row by row, in its order."""
_LOOK: Final = (
    "SELECT pg_backend_pid(), NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off', "
    "current_setting('lock_timeout') = '1200ms'"
)


class Server:
    """What the connections of a store find out about its server, for each other."""

    def __init__(self, *, behind_bouncer: bool) -> None:
        self.behind_bouncer = behind_bouncer
        """Whether a PgBouncer stands before it, or anything else that pools transactions."""
        self.took_writes = False
        """Whether it was ever one that takes writes: if it is none any more, that passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a connection is used."""

    name: str = "stem"
    """What the server's administrators see of it, as `application_name`."""
    steady: bool = True
    """Whether it is for statements that must not depend on statistics."""
    patience: float | None = None
    """How many seconds an answer may take, where that is not `ANSWER_SECONDS`."""

    @property
    def seconds(self) -> float:
        """How many seconds an answer may take."""
        return ANSWER_SECONDS if self.patience is None else self.patience

    @property
    def settings(self) -> dict[str, str]:
        """What the connection is set to."""
        return {**_PLAIN, "application_name": self.name, **(_STEADY if self.steady else {})}


async def connect(place: Place, server: Server, manner: Manner) -> asyncpg.Connection:
    """A connection that has been looked at.

    Raises `ConfigError` for a server that is too old or will not have this user, `StoreUnavailable` for one that does
    not answer.
    """
    check_files(place)
    known = server.behind_bouncer
    try:
        connection = await _looked_at(place, server, manner)
    except DRIVER_ERRORS as error:
        if known or not is_bouncer(error):
            raise translate(error, place) from error
        server.behind_bouncer = True
    else:
        if known or not server.behind_bouncer:
            return connection
        await hang_up(connection)  # it was made for a server without one
    return await connect(place, server, manner)


def check_files(place: Place) -> None:
    """Raises `ConfigError` for a file of the URL that cannot be read; the driver would not say which one it is."""
    for name, path in place.files:
        try:
            with Path(path).open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
        except OSError as error:
            raise _unfit(place, name, f"{path}: {error.strerror}") from None
        if name == "passfile" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _unfit(place, name, f"{path}, which others may use too, so that the driver passes it over")


def _unfit(place: Place, name: str, found: str) -> ConfigError:
    return ConfigError(
        expected=f"a file that this user can read as {name} of {place}; a passfile nobody else",
        found=found,
        do="Correct the path in the URL, or the rights of the file (chmod 600).",
    )


async def _looked_at(place: Place, server: Server, manner: Manner) -> asyncpg.Connection:
    connection = await asyncpg.connect(
        place.dsn,
        timeout=min(CONNECT_SECONDS, manner.seconds),
        command_timeout=manner.seconds,
        statement_cache_size=0 if server.behind_bouncer else 100,
        max_cached_statement_lifetime=0,
        server_settings=None if server.behind_bouncer else manner.settings,
    )
    try:
        check_version(connection.get_server_version().major, place)
        await _look(connection, server)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _look(connection: asyncpg.Connection, server: Server) -> None:
    """Whether this server takes writes, and whether it is the one that was greeted, set as it was asked to be."""
    async with connection.transaction():
        row = await connection.fetchrow(_LOOK)
    assert row is not None
    server.took_writes = server.took_writes or bool(row[1])
    if row[0] != connection.get_server_pid() or not row[2]:
        server.behind_bouncer = True


def check_version(major: int, place: Place) -> None:
    """Raises `ConfigError` for a server that is too old."""
    if major < OLDEST:
        raise ConfigError(
            expected=f"PostgreSQL {OLDEST} or newer: {place}",
            found=f"PostgreSQL {major}",
            do="Use a newer server.",
        )


async def hang_up(connection: asyncpg.Connection, *, politely: bool = True) -> None:
    """Close a connection within two seconds, whatever the server does."""
    if politely:
        with suppress(*DRIVER_ERRORS):
            await connection.close(timeout=2)
    if not connection.is_closed():
        connection.terminate()
