"""The driver, as far as this engine uses it: it is typed by halves, so what is asked of it is named here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, Protocol, cast

import redis
import redis.asyncio
import redis.connection
import redis.exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from stem.adapters.redis.route import Route
from stem.adapters.redis.wire import Value, kind_of, options_for

__all__ = [
    "LOST",
    "BlockingClient",
    "Client",
    "NoMemory",
    "NoRight",
    "NoScript",
    "Refusal",
    "Value",
    "answer_error",
    "blocking_client",
    "client",
    "lost",
    "open_stream",
    "timed_out",
]

NoScript = redis.exceptions.NoScriptError
NoMemory = redis.exceptions.OutOfMemoryError
NoRight = redis.exceptions.NoPermissionError
Refusal = redis.exceptions.ResponseError
LOST: Final = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError)
_ASYNC: Final[Any] = redis.asyncio
_BLOCKING: Final[Any] = redis
_PARSER: Final[Any] = redis.connection.DefaultParser


class Pool(Protocol):
    """The connections of a client."""

    def disconnect(self, inuse_connections: bool = True) -> Awaitable[None]: ...


class Client(Protocol):
    """The driver's client for an event loop."""

    @property
    def connection_pool(self) -> Pool: ...
    def execute_command(self, *words: Value) -> Awaitable[Any]: ...
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


async def open_stream(route: Route) -> asyncio.StreamWriter:
    """A connection that is open and greeted: TLS, password and database are the driver's. It is the caller's then."""
    options = {**options_for(route.place, route.place.timeout), "retry": AsyncRetry(NoBackoff(), 0)}
    connection = kind_of(_ASYNC, route)(**options)
    try:
        await connection.connect()
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    stream: asyncio.StreamWriter = connection._writer
    connection._writer = connection._reader = None  # it would close what is ours now when it is forgotten
    return stream


def answer_error(text: str) -> Exception:
    """The error of an answer that is one: of the class that the driver has for it."""
    error: Exception = _PARSER.parse_error(text)
    return error


def lost(found: str) -> Exception:
    """The error of a connection that is gone."""
    return redis.exceptions.ConnectionError(f"the connection was lost: {found}")


def timed_out(seconds: float) -> Exception:
    """The error of an answer that did not come."""
    return redis.exceptions.TimeoutError(f"no answer within {seconds:g} s")


def blocking_client(route: Route, timeout: float) -> BlockingClient:
    """A client for one thread, with one connection, which it opens at its first use."""
    pool = _BLOCKING.ConnectionPool(
        connection_class=kind_of(_BLOCKING, route),
        max_connections=1,
        retry=Retry(NoBackoff(), 1),
        **options_for(route.place, timeout),
    )
    return cast("BlockingClient", _BLOCKING.Redis.from_pool(pool))
