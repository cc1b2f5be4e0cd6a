"""The memory engine: everything in this process, under one lock, gone with it. For tests and one-process programs."""

from __future__ import annotations

from stem.adapters.memory.store import MemoryStore
from stem.contracts.adapter import StoreOptions
from stem.errors import ConfigError

__all__ = ["MemoryStore", "migrate", "open_store"]


async def open_store(url: str, options: StoreOptions, /) -> MemoryStore:
    """A new, empty store: two calls share nothing. Raises `ConfigError` for anything but `memory://`."""
    if url != "memory://":
        raise ConfigError(
            expected="the URL 'memory://'",
            found="a memory URL with more after it",
            do="Use 'memory://' alone; to share tasks between programs, use SQLite.",
        )
    return MemoryStore(options.clock, options.retention)


async def migrate(url: str, options: StoreOptions, /) -> tuple[str, ...]:
    """Nothing: memory has no schema."""
    del url, options
    return ()
