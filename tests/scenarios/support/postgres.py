"""What the scenarios on PostgreSQL do to a server and to connections, beside stopping and starting it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg

from tests.server_postgres import PostgresServer

__all__ = ["admin_of", "connections", "crowd", "cut_connections", "fresh_url"]

_NUMBERS: Final = itertools.count(1)


def fresh_url(server: PostgresServer, port: int | None = None) -> str:
    """The URL of a schema that no other test uses; by another port where a proxy stands before the server."""
    return f"postgresql://stem@127.0.0.1:{port or server.port}/postgres?schema=scenario_{next(_NUMBERS)}"


@asynccontextmanager
async def admin_of(server: PostgresServer) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of our own."""
    connection = await asyncpg.connect(server.url)
    try:
        yield connection
    finally:
        await connection.close()


async def cut_connections(server: PostgresServer, name: str = "stem%") -> int:
    """End the connections of this name, as an administrator does; how many there were."""
    async with admin_of(server) as admin:
        whose = "FROM pg_stat_activity WHERE application_name LIKE $1 AND pid <> pg_backend_pid()"
        return len(await admin.fetch(f"SELECT pg_terminate_backend(pid) {whose}", name))


async def connections(server: PostgresServer, name: str) -> int:
    """How many connections of this name there are."""
    async with admin_of(server) as admin:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
        return int(await admin.fetchval(count, name))


@asynccontextmanager
async def crowd(server: PostgresServer) -> AsyncGenerator[None]:
    """Others hold every connection that the server has, and take each that becomes free."""
    held: list[asyncpg.Connection] = []
    taking = asyncio.create_task(_take_all(server, held))
    try:
        yield
    finally:
        taking.cancel()
        await asyncio.wait((taking,))
        for connection in held:
            await connection.close()


async def _take_all(server: PostgresServer, held: list[asyncpg.Connection]) -> None:
    while True:
        with suppress(asyncpg.PostgresError):
            while True:
                held.append(await asyncpg.connect(server.url))
        await asyncio.sleep(0.01)
