"""Connections of the driver for a route: packed in C, over TLS, and led to where the server is at the moment."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
from collections.abc import Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

import redis
import redis.asyncio

from stem.adapters.redis.errors import DRIVER_ERRORS, translate
from stem.adapters.redis.route import Question, Route
from stem.adapters.redis.url import Address, Credentials, Place, Tls, Via
from stem.errors import ConfigError, StemError, StoreUnavailable

__all__ = ["Value", "kind_of", "options_for"]

Value = str | bytes | int
_ASYNC: Final[Any] = redis.asyncio
_HIREDIS: Final[Any] = importlib.import_module("hiredis") if importlib.util.find_spec("hiredis") else None
_PATIENCE: Final = 1.0
"""Seconds for one of several who may know where the server is."""


class _Packing:
    """Packs commands in C: the driver's asyncio connections do it in Python, which a batch of hundreds feels."""

    def pack_command(self, *words: Value) -> list[bytes]:
        command, *rest = words
        packed: bytes = _HIREDIS.pack_command((*str(command).split(), *rest))
        return [packed]


def kind_of(module: ModuleType, route: Route) -> Any:
    """The class of a pool's connections, of the driver's blocking module or of the one for an event loop."""
    kind = _kind(module, route.place)
    return kind if route.is_fixed else _led(kind, route)


def _kind(module: ModuleType, place: Place) -> Any:
    if place.socket is not None:
        kind: Any = module.UnixDomainSocketConnection
    else:
        kind = module.SSLConnection if place.tls else module.Connection
    packs = module is _ASYNC and hasattr(_HIREDIS, "pack_command")
    return type(kind.__name__, (_Packing, kind), {}) if packs else kind


def _led(kind: Any, route: Route) -> Any:
    """Connections that ask for the server's address each time before they connect."""

    class Led(kind):  # type: ignore[misc]  # a class of the driver, which is Any
        async def _connect(self) -> None:
            self.host, self.port = await _find(route)
            base: Any = super()
            await base._connect()

    class BlockingLed(kind):  # type: ignore[misc]  # as above
        def _connect(self) -> Any:
            self.host, self.port = asyncio.run(_find(route))
            base: Any = super()
            return base._connect()

    return Led if inspect.iscoroutinefunction(kind.connect) else BlockingLed


def options_for(place: Place, timeout: float) -> dict[str, Any]:
    """What connections are made with; `timeout` is how long an answer may take, those of the greeting too."""
    options = {"db": place.db, "socket_timeout": timeout, "protocol": 2, **_login(place.user)}
    if place.socket is not None:
        return {**options, "path": place.socket}
    return {**options, **_tcp(place.hosts[0], timeout), **_tls(place.tls)}


async def _find(route: Route) -> Address:
    """Where the server is, by the first who knows. Raises `ConfigError` when one says why not, else what was last."""
    question, troubles = route.question, list[StemError]()
    for who in question.of:
        try:
            found = route.learn(who, await _ask(route.place, who, question))
        except DRIVER_ERRORS as error:
            troubles.append(translate(error, route.place))
        else:
            if found is not None:
                return found
            troubles.append(_unknown(route.place))
    raise next((trouble for trouble in troubles if isinstance(trouble, ConfigError)), troubles[-1])


async def _ask(place: Place, who: Address, question: Question) -> Any:
    """The answer to one question, over a connection of its own."""
    patience = min(_PATIENCE, place.timeout)
    connection: Any = (_ASYNC.SSLConnection if place.tls else _ASYNC.Connection)(
        socket_timeout=patience, protocol=2, **_login(question.user), **_tcp(who, patience), **_tls(place.tls)
    )
    try:
        await connection.connect()
        await connection.send_command(*question.words)
        return await connection.read_response()
    finally:
        with suppress(*DRIVER_ERRORS):
            await connection.disconnect()


def _unknown(place: Place) -> StemError:
    if place.via is Via.SENTINEL:
        return ConfigError(
            expected=f"sentinels that know the primary '{place.service}': {place}",
            found="that none of them does",
            do="Correct the name behind the hosts in the URL: it is that of `sentinel monitor`.",
        )
    return StoreUnavailable(
        expected=f"a cluster in which the slot of the namespace is served: {place}",
        found="that no node serves it",
        do="Wait for the cluster, or assign the slot: redis-cli --cluster check.",
    )


def _login(user: Credentials) -> Mapping[str, Any]:
    return {"username": user.username, "password": user.password}


def _tcp(address: Address, timeout: float) -> Mapping[str, Any]:
    host, port = address
    return {"host": host, "port": port, "socket_connect_timeout": timeout, "socket_keepalive": True}


def _tls(tls: Tls | None) -> Mapping[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl_ca_certs": tls.ca_certs,
        "ssl_certfile": tls.certfile,
        "ssl_keyfile": tls.keyfile,
        "ssl_password": tls.password,
        "ssl_cert_reqs": "required" if tls.verify else "none",
        "ssl_check_hostname": tls.check_hostname,
    }
