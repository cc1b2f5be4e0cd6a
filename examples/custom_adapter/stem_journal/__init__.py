"""A toy engine over one plain file: what was done, a line each, done again when the file is opened.

It is durable (what was committed is there after a crash) and not shared (one process at a time has the file), and says
so by its capabilities. The file only grows: this is an example of an adapter, not of a database.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.errors import ConfigError

__all__ = ["migrate", "open_store"]


async def open_store(url: str, options: StoreOptions, /) -> Store:
    """Open the journal that `journal:///relative/path` or `journal:////absolute/path` names; made where it is missing.

    Raises `ConfigError` for another URL, `StoreUnavailable` while another process has the file, `StoreCorrupt` for a
    file that is no journal.
    """
    from stem_journal.store import open_journal_store

    return await open_journal_store(_path_of(url), options)


async def migrate(url: str, options: StoreOptions, /) -> tuple[str, ...]:
    """Nothing: a journal has no schema."""
    del url, options
    return ()


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path)[1:]
    if parts.netloc or parts.query or not path:
        raise ConfigError(
            expected="journal:///relative/path or journal:////absolute/path", found=url, do="Correct the URL."
        )
    return path
