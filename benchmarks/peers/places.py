"""Where tasks are stored: servers of our own on free ports of this machine, and an empty store for each turn."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import asyncpg

from tests.server_postgres import PostgresServer, start_server
from tests.servers import RedisServer

from .roster import Engine

__all__ = ["Fresh", "places_of"]

Fresh = Callable[[], AbstractAsyncContextManager[str]]
"""Gives the URL of an empty store, which is removed with the block."""


@contextmanager
def places_of(engine: Engine) -> Generator[Fresh]:
    """What a whole run needs. PostgreSQL is one server, with a database for each turn; Redis is one server a turn."""
    if engine is Engine.REDIS:
        yield _redis
    elif engine is Engine.SQLITE:
        yield _sqlite
    else:
        server = start_server("fsync=on", "shared_buffers=256MB", "max_connections=200")
        try:
            yield partial(_database, server, count(1))
        finally:
            server.remove()


@asynccontextmanager
async def _redis() -> AsyncGenerator[str]:
    with tempfile.TemporaryDirectory(prefix="stem-peers-") as folder:
        server = RedisServer(Path(folder), "--appendonly", "no", "--save", "").start()
        try:
            yield server.url
        finally:
            server.stop()


@asynccontextmanager
async def _sqlite() -> AsyncGenerator[str]:
    with tempfile.TemporaryDirectory(prefix="stem-peers-") as folder:
        yield f"sqlite:///{folder}/tasks.db"


@asynccontextmanager
async def _database(server: PostgresServer, numbers: count[int]) -> AsyncGenerator[str]:
    name = f"peers_{next(numbers)}"
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield server.url.rpartition("/")[0] + f"/{name}"
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()
