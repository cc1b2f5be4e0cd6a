"""The SQLite engine: one file, any number of processes on one machine, no server."""

from __future__ import annotations

import asyncio

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store

__all__ = ["migrate", "open_store"]


async def open_store(url: str, options: StoreOptions, /) -> Store:
    """Open the file that the URL names, and make it where it is missing; the namespace is the file.

    `sqlite:///relative.db`, `sqlite:////absolute/path.db`, either with `?synchronous=full` for commits that survive the
    loss of power. Raises `ConfigError` for another URL or a missing folder, `SchemaMismatch`, `StoreReadOnly`,
    `StoreCorrupt` or `StoreUnavailable` for a file that cannot be used.
    """
    from stem.adapters.sqlite.connection import connect, parse_url, prepare_writer
    from stem.adapters.sqlite.migrations import check_schema
    from stem.adapters.sqlite.store import SqliteStore

    place = parse_url(url)
    writer = await connect(place)
    try:
        await writer.run(lambda connection: check_schema(connection, place))
        await writer.run(prepare_writer)
        reader = await connect(place)
    except BaseException:
        await writer.close()
        raise
    return SqliteStore(place, writer, reader, options)


async def migrate(url: str, options: StoreOptions, /) -> tuple[str, ...]:
    """Bring the schema of the file to this version, in one exclusive transaction; the names of the steps taken."""
    from stem.adapters.sqlite.connection import connect_blocking, parse_url
    from stem.adapters.sqlite.errors import translated
    from stem.adapters.sqlite.migrations import migrate_schema

    place = parse_url(url)

    def work() -> tuple[str, ...]:
        connection = connect_blocking(place)
        try:
            with translated(str(place.path)):
                return migrate_schema(connection, place)
        finally:
            connection.close()

    return await asyncio.to_thread(work)
