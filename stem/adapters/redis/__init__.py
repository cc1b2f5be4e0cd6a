"""The Redis engine: one database of a Redis 6.2 or Valkey server, shared by any number of processes and machines.

Importing it without its driver raises the `ModuleNotFoundError` that `stem.stores.open` turns into an install line.
"""

from __future__ import annotations

import logging

from stem.adapters.redis.safety import check_certificates, check_server
from stem.adapters.redis.store import RedisStore
from stem.adapters.redis.url import check_namespace, parse_url
from stem.contracts.adapter import StoreOptions

__all__ = ["RedisStore", "migrate", "open_store"]

_LOG = logging.getLogger(__name__)


async def open_store(url: str, options: StoreOptions, /) -> RedisStore:
    """Connect, and check that the server can be used; what could lose work there is logged as a warning.

    The server's clock decides every time, unless `options.clock` is another than the machine's. Raises `ConfigError`
    for a URL, a namespace, a password, a certificate or a server version that does not fit, `StoreReadOnly` for a
    replica, and `StoreUnavailable` when the server cannot be reached.
    """
    place = parse_url(url)
    check_certificates(place)
    store = RedisStore(place, check_namespace(options.namespace), options.clock, options.retention)
    try:
        await check_server(store.server)
        for warning in await store.warnings():
            _LOG.warning("%s: %s", store.server.place, warning)
    except BaseException:
        await store.aclose()
        raise
    return store


async def migrate(url: str, options: StoreOptions, /) -> tuple[str, ...]:
    """Nothing: keys appear with the first task, and there is no schema to bring up to date."""
    check_namespace(options.namespace)
    parse_url(url)
    return ()
