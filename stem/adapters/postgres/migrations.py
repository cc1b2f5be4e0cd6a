"""The schema and its numbered steps. A release only adds to the schema; the next may remove."""

from __future__ import annotations

import hashlib
from typing import Final

import asyncpg

from stem.adapters.postgres.statements import FOLDER, quoted
from stem.adapters.postgres.url import Place
from stem.errors import SchemaMismatch

__all__ = ["VERSION", "check_schema", "migrate_schema", "steps"]

VERSION: Final = 7
"""The schema that this code was written for."""
OLDEST: Final = 7
"""The oldest schema that this code can still use."""
COMPATIBLE_FROM: Final = 4
"""The oldest code that can use the schema `VERSION`."""
_VERSION_TABLE: Final = "schema_version"
_TABLES: Final = (  # not to_regclass, which may answer from before the lock was got
    "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1"
)


def steps() -> dict[int, str]:
    """The migration files, by number, in order."""
    names = sorted(path.name for path in (FOLDER / "migrations").glob("[0-9]*.sql"))
    return {int(name.split("_")[0]): name for name in names}


async def check_schema(connection: asyncpg.Connection, place: Place) -> None:
    """Leave a schema that fits as it is, and make one that is missing or empty.

    Raises `SchemaMismatch` for a schema of other tables, an older one, or one that is too new.
    """
    empty = await _is_empty(connection, place)  # asked first: what another process migrates meanwhile is found then
    found = await _found(connection, place)
    if found is None and empty:
        await migrate_schema(connection, place)
    elif found is None or found[0] < OLDEST:
        raise SchemaMismatch(
            expected=f"version {VERSION} of the schema {place.schema} in {place}",
            found="a schema without Stem's tables" if found is None else f"version {found[0]}",
            do=f"Run `stem migrate --url {place}?schema={place.schema}`, with the password.",
        )
    else:
        _refuse_newer(found, place)


async def migrate_schema(connection: asyncpg.Connection, place: Place) -> tuple[str, ...]:
    """Take the steps that are missing, in one transaction under an advisory lock; their names.

    A process that dies on the way leaves the schema as it was. Raises `SchemaMismatch` for one that is too new.
    """
    taken: list[str] = []
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = 0")  # the other one that migrates is worth waiting for
        await connection.fetch("SELECT pg_advisory_xact_lock($1)", _lock_of(place))
        found = await _found(connection, place) or (0, 0)
        _refuse_newer(found, place)
        for number, name in steps().items():
            if number > found[0]:
                await _take(connection, place, name)
                taken.append(name)
        if taken:
            await _note(connection, place)
    return tuple(taken)


def _refuse_newer(found: tuple[int, int], place: Place) -> None:
    if found[1] > VERSION:
        raise SchemaMismatch(
            expected=f"a schema {place.schema} that version {VERSION} can use in {place}",
            found=f"version {found[0]}, which needs {found[1]} or newer",
            do="Update Stem in this process; the database was migrated by a newer one.",
        )


async def _take(connection: asyncpg.Connection, place: Place, name: str) -> None:
    schema = quoted(place.schema)
    if not await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = $1", place.schema):
        await connection.execute(f"CREATE SCHEMA {schema}")
    text = (FOLDER / "migrations" / name).read_text(encoding="utf-8")
    await connection.execute(text.replace("{schema}", schema))


async def _note(connection: asyncpg.Connection, place: Place) -> None:
    table = _table(place)
    await connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (version integer, compatible_from integer)")
    await connection.execute(f"DELETE FROM {table}")  # noqa: S608  # the name of a schema that was checked and quoted
    await connection.fetch(f"INSERT INTO {table} VALUES ($1, $2)", VERSION, COMPATIBLE_FROM)  # noqa: S608  # the same


async def _found(connection: asyncpg.Connection, place: Place) -> tuple[int, int] | None:
    table = _table(place)
    if not await connection.fetchval(_TABLES + " AND c.relname = $2", place.schema, _VERSION_TABLE):
        return None
    row = await connection.fetchrow(f"SELECT version, compatible_from FROM {table}")  # noqa: S608  # the same
    return None if row is None else (int(row[0]), int(row[1]))


async def _is_empty(connection: asyncpg.Connection, place: Place) -> bool:
    return not await connection.fetchval(_TABLES, place.schema)


def _lock_of(place: Place) -> int:
    """One number for all who migrate this schema."""
    digest = hashlib.blake2b(f"stem.migrate.{place.schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _table(place: Place) -> str:
    return f"{quoted(place.schema)}.{_VERSION_TABLE}"
