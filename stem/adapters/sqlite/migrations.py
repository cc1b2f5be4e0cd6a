"""The schema and its numbered steps. A release only adds to the schema; the next may remove."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from stem.adapters.sqlite.connection import Place, transaction
from stem.adapters.sqlite.statements import FOLDER
from stem.errors import SchemaMismatch

__all__ = ["VERSION", "check_schema", "migrate_schema", "statements_of", "steps"]

VERSION: Final = 6
"""The schema that this code was written for."""
OLDEST: Final = 6
"""The oldest schema that this code can still use."""
COMPATIBLE_FROM: Final = 5
"""The oldest code that can use the schema `VERSION`."""


def steps() -> dict[int, str]:
    """The migration files, by number, in order."""
    names = sorted(path.name for path in (FOLDER / "migrations").glob("[0-9]*.sql"))
    return {int(name.split("_")[0]): name for name in names}


def check_schema(connection: sqlite3.Connection, place: Place) -> None:
    """Leave a database that fits as it is, and give an empty one the schema.

    Raises `SchemaMismatch` for a database of other tables, an older schema, or one that is too new.
    """
    empty = _is_empty(connection)  # asked first: what another process migrates meanwhile is found then
    found = _found(connection)
    if found is None and empty:
        migrate_schema(connection, place)
    elif found is None or found[0] < OLDEST:
        raise SchemaMismatch(
            expected=f"schema {VERSION} in {place.path}",
            found="a database without Stem's tables" if found is None else f"schema {found[0]}",
            do=f"Run `stem migrate --url {_url(place)}`.",
        )
    else:
        _refuse_newer(found, place)


def migrate_schema(connection: sqlite3.Connection, place: Place) -> tuple[str, ...]:
    """Take the steps that are missing, in one exclusive transaction; their names.

    A process that dies on the way leaves the schema as it was. Raises `SchemaMismatch` for one that is too new.
    """
    taken: list[str] = []
    with transaction(connection, "EXCLUSIVE"):
        found = _found(connection) or (0, 0)
        _refuse_newer(found, place)
        for number, name in steps().items():
            if number > found[0]:
                _take(connection, name)
                taken.append(name)
        if taken:
            connection.execute("DELETE FROM stem_schema")
            connection.execute("INSERT INTO stem_schema VALUES (?, ?)", (VERSION, COMPATIBLE_FROM))
    return tuple(taken)


def _refuse_newer(found: tuple[int, int], place: Place) -> None:
    if found[1] > VERSION:
        raise SchemaMismatch(
            expected=f"a schema that version {VERSION} can use in {place.path}",
            found=f"schema {found[0]}, which needs {found[1]} or newer",
            do="Update Stem in this process; the database was migrated by a newer one.",
        )


def _take(connection: sqlite3.Connection, name: str) -> None:
    for statement in statements_of((FOLDER / "migrations" / name).read_text(encoding="utf-8")):
        connection.execute(statement)


def statements_of(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would commit first."""
    begun = ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            yield begun
            begun = ""


def _found(connection: sqlite3.Connection) -> tuple[int, int] | None:
    known = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'stem_schema'").fetchone()[0]
    if not known:
        return None
    row = connection.execute("SELECT version, compatible_from FROM stem_schema").fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _url(place: Place) -> str:
    return f"sqlite:///{place.path}"
