"""The driver, as far as this engine uses it: it is typed by halves, so what is asked of it is named here."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol, cast

import redis
import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from stem.adapters.redis.route import Route
from stem.adapters.redis.wire import Value, kind_of, options_for

__all__ = ["BlockingClient", "Client", "Ear", "NoScript", "Value", "blocking_client", "client", "ear_of", "subscriber"]

NoScript = redis.exceptions.NoScriptError
_ASYNC: Final[Any] = redis.asyncio
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


def client(route: Route) -> Client:
    """A client over as many connections as the place allows, each opened when it is needed.

    A call that meets a connection which died is repeated once, on a new one.
    """
    place = route.place
    pool = _ASYNC.BlockingConnectionPool(
        connection_class=kind_of(_ASYNC, route),
        max_connections=place.connections,
        timeout=place.timeout,
        retry=AsyncRetry(NoBackoff(), 1),
        **options_for(place, place.timeout),
    )
    return cast("Client", _ASYNC.Redis.from_pool(pool))


def subscriber(route: Route) -> Client:
    """A client with one connection; nothing is repeated. How long it may be silent is said with each read."""
    options = {**options_for(route.place, route.place.timeout), "retry": AsyncRetry(NoBackoff(), 0)}
    pool = _ASYNC.ConnectionPool(connection_class=kind_of(_ASYNC, route), max_connections=1, **options)
    return cast("Client", _ASYNC.Redis.from_pool(pool))


def ear_of(listening: Client) -> Ear:
    """The subscriptions of a client."""
    made: Any = listening
    return cast("Ear", made.pubsub())


def blocking_client(route: Route, timeout: float) -> BlockingClient:
    """A client for one thread, with one connection, which it opens at its first use."""
    pool = _BLOCKING.ConnectionPool(
        connection_class=kind_of(_BLOCKING, route),
        max_connections=1,
        retry=Retry(NoBackoff(), 1),
        **options_for(route.place, timeout),
    )
    return cast("BlockingClient", _BLOCKING.Redis.from_pool(pool))
