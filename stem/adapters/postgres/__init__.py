"""The PostgreSQL engine: one schema of a database, any number of workers on any machines."""

from __future__ import annotations

import asyncpg  # noqa: F401  # pyright: ignore[reportUnusedImport]  # without its driver the adapter must not load

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store

__all__ = ["migrate", "open_store"]


async def open_store(url: str, options: StoreOptions, /) -> Store:
    """Connect to the database that the URL names; the schema is its `?schema=`, else the namespace.

    `postgresql://user:password@host:5432/database`, with libpq's words for TLS (`sslmode`, `sslrootcert`, `sslcert`,
    `sslkey`, `sslpassword`), `passfile` and `target_session_attrs`. A PgBouncer that pools transactions is found out;
    `listen=host:port` is the way past it, for the connection that listens.
    Raises `ConfigError` for another URL, a user, password or database that the server refuses, missing rights, or a
    server older than 13; `SchemaMismatch`, `StoreReadOnly` or `StoreUnavailable` for a database that cannot be used.
    """
    from stem.adapters.postgres.store import PostgresStore
    from stem.adapters.postgres.url import parse_url

    store = PostgresStore(parse_url(url, options.namespace), options.clock, options.retention)
    try:
        await store.check()
    except BaseException:
        await store.aclose()
        raise
    return store


async def migrate(url: str, options: StoreOptions, /) -> tuple[str, ...]:
    """Bring the schema to this version, in one transaction under an advisory lock; the names of the steps taken."""
    from stem.adapters.postgres.connection import Server
    from stem.adapters.postgres.line import Line
    from stem.adapters.postgres.migrations import migrate_schema
    from stem.adapters.postgres.url import parse_url

    place = parse_url(url, options.namespace)
    line = Line(place, Server(behind_bouncer=place.pgbouncer))
    try:
        return await line.run(lambda connection: migrate_schema(connection, place))
    finally:
        await line.close()
