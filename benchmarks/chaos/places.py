"""The engines of the run, set up so that what they accept survives a restart, and how each is restarted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.server_postgres import start_server
from tests.servers import RedisServer

__all__ = ["ENGINES", "Place", "place_of"]

ENGINES: Final = ("sqlite", "redis", "postgres")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tasks are; `restart` stops the server and starts it again, and is `None` where there is none."""

    url: str
    restart: Callable[[], None] | None = None


@contextmanager
def place_of(engine: str) -> Generator[Place]:
    """An empty store: Redis with `appendfsync always`, PostgreSQL with fsync, SQLite as it is by default."""
    with tempfile.TemporaryDirectory(prefix="stem-chaos-") as folder:
        if engine == "sqlite":
            yield Place(f"sqlite:///{folder}/tasks.db")
        elif engine == "redis":
            yield from _redis(Path(folder))
        else:
            yield from _postgres()


def _redis(folder: Path) -> Generator[Place]:
    server = RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "").start()

    def restart() -> None:
        server.kill()
        server.start()

    try:
        yield Place(server.url, restart)
    finally:
        server.stop()


def _postgres() -> Generator[Place]:
    server = start_server("fsync=on", "synchronous_commit=on", "max_connections=200")

    def restart() -> None:
        server.stop()
        server.start()

    try:
        yield Place(server.url, restart)
    finally:
        server.remove()
