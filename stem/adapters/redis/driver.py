"""The driver, as far as this engine uses it: it is typed by halves, so what is asked of it is named here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol, cast

import redis
import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from stem.adapters.redis.url import Place

__all__ = ["BlockingClient", "Client", "Ear", "NoScript", "Value", "blocking_client", "client", "ear_of", "subscriber"]

NoScript = redis.exceptions.NoScriptError
Value = str | bytes | int
_ASYNC: Final[Any] = redis.asyncio
_HIREDIS: Final[Any] = importlib.import_module("hiredis") if importlib.util.find_spec("hiredis") else None
_BLOCKING: Final[Any] = redis


class Pool(Protocol):
    """The connections of a client."""

    def disconnect(self, inuse_connections: bool = True) -> Awaitable[None]: ...


class Client(Protocol):
    """The driver's client for an event loop."""

    @property
    def connection_pool(self) -> Pool: ...
    def execute_command(self, *words: Value) -> Awaitable[Any]: ...
    def aclose(self) -> Awaitable[None]: ...


class Ear(Protocol):
    """The driver's subscriptions over one connection."""

    def subscribe(self, *channels: str) -> Awaitable[None]: ...
    def get_message(self, *, timeout: float) -> Awaitable[Mapping[str, Any] | None]: ...
    def ping(self) -> Awaitable[object]: ...
    def aclose(self) -> Awaitable[None]: ...


class BlockingClient(Protocol):
    """The driver's client for one thread."""

    def execute_command(self, *words: Value) -> Any: ...
    def close(self) -> None: ...


def client(place: Place) -> Client:
    """A client over up to `place.connections` connections, each opened when it is needed.

    A call that meets a connection which died is repeated once, on a new one.
    """
    pool = _ASYNC.BlockingConnectionPool(
        connection_class=_kind(_ASYNC, place),
        max_connections=place.connections,
        timeout=place.timeout,
        retry=AsyncRetry(NoBackoff(), 1),
        **_options(place, place.timeout),
    )
    return cast("Client", _ASYNC.Redis.from_pool(pool))


def subscriber(place: Place) -> Client:
    """A client with one connection; nothing is repeated. How long it may be silent is said with each read."""
    options = {**_options(place, place.timeout), "retry": AsyncRetry(NoBackoff(), 0)}
    pool = _ASYNC.ConnectionPool(connection_class=_kind(_ASYNC, place), max_connections=1, **options)
    return cast("Client", _ASYNC.Redis.from_pool(pool))


def ear_of(listening: Client) -> Ear:
    """The subscriptions of a client."""
    made: Any = listening
    return cast("Ear", made.pubsub())


def blocking_client(place: Place, timeout: float) -> BlockingClient:
    """A client for one thread, with one connection, which it opens at its first use."""
    pool = _BLOCKING.ConnectionPool(
        connection_class=_kind(_BLOCKING, place),
        max_connections=1,
        retry=Retry(NoBackoff(), 1),
        **_options(place, timeout),
    )
    return cast("BlockingClient", _BLOCKING.Redis.from_pool(pool))


class _Packing:
    """Packs commands in C: the driver's asyncio connections do it in Python, which a batch of hundreds feels."""

    def pack_command(self, *words: Value) -> list[bytes]:
        command, *rest = words
        packed: bytes = _HIREDIS.pack_command((*str(command).split(), *rest))
        return [packed]


def _kind(module: Any, place: Place) -> Any:
    if place.socket is not None:
        kind = module.UnixDomainSocketConnection
    else:
        kind = module.SSLConnection if place.tls else module.Connection
    packs = module is _ASYNC and hasattr(_HIREDIS, "pack_command")
    return type(kind.__name__, (_Packing, kind), {}) if packs else kind


def _options(place: Place, timeout: float) -> dict[str, Any]:
    """What connections are made with; `timeout` is how long an answer may take, those of the greeting too."""
    options: dict[str, Any] = {
        "db": place.db,
        "username": place.username,
        "password": place.password,
        "socket_timeout": timeout,
        "protocol": 2,
    }
    if place.socket is not None:
        return {**options, "path": place.socket}
    options |= {
        "host": place.host,
        "port": place.port,
        "socket_connect_timeout": timeout,
        "socket_keepalive": True,
    }
    return {**options, **_tls_options(place)} if place.tls else options


def _tls_options(place: Place) -> dict[str, Any]:
    return {
        "ssl_ca_certs": place.tls_ca,
        "ssl_certfile": place.tls_cert,
        "ssl_keyfile": place.tls_key,
        "ssl_cert_reqs": "none" if place.tls_verify == "none" else "required",
        "ssl_check_hostname": place.tls_verify == "full",
    }
