"""What is asked of a server before it is trusted with work, and what it is told about in warnings."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any, Final

from stem.adapters.redis.connection import Server
from stem.adapters.redis.url import Place, Via
from stem.errors import ConfigError, StoreError, StoreReadOnly

__all__ = ["OLDEST", "check_certificates", "check_server", "read_info", "warnings_for"]

OLDEST: Final = (6, 2)


def check_certificates(place: Place) -> None:
    """Raise `ConfigError` for files of certificates or keys that cannot be used, before anything is sent."""
    tls = place.tls
    if tls is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.ca_certs is not None:
            context.load_verify_locations(tls.ca_certs)
        if tls.certfile is not None:
            context.load_cert_chain(tls.certfile, tls.keyfile, tls.password or "")
    except OSError as error:
        named = ", ".join(file for file in (tls.ca_certs, tls.certfile, tls.keyfile) if file is not None)
        raise ConfigError(
            expected=f"certificates and a key in PEM form in {named}",
            found=str(error),
            do="Correct ssl_ca_certs, ssl_certfile, ssl_keyfile or ssl_password in the URL, or the files.",
        ) from error


async def check_server(server: Server) -> None:
    """Raise `ConfigError` for a server that is too old, `StoreReadOnly` for a replica.

    A user that may not ask is let through: what does not work will say so.
    """
    info = await read_info(server)
    version = _version(info.get("redis_version", ""))
    if version is not None and version < OLDEST:
        raise ConfigError(
            expected=f"Redis {'.'.join(map(str, OLDEST))} or newer, or Valkey: {server.place}",
            found=f"Redis {info['redis_version']}",
            do="Upgrade the server.",
        )
    if info.get("role") == "slave" and info.get("slave_read_only", "1") == "1":
        raise StoreReadOnly(
            expected=f"a primary that can be written: {server.place}",
            found="a replica that is read-only",
            do="Point the URL at the primary.",
        )


async def read_info(server: Server) -> dict[str, str]:
    """What the server tells of itself, by name; with `via`, how it was found, and `save` where that may be read.

    Raises the errors of an unreachable server, a wrong password or a database that does not exist.
    """
    await server.command("EXISTS", server.keys[0])
    info = await _ask(server, "INFO")
    found = {str(name): str(value) for name, value in (info or {}).items()}
    found["via"] = server.place.via.value
    settings = await _ask(server, "CONFIG GET", "save")
    if settings is not None:
        found["save"] = _text(next(iter(dict(settings).values()), ""))
    return found


async def _ask(server: Server, *words: str) -> Mapping[Any, Any] | None:
    """What the server answers; `None` where the user may not ask, as services often decide."""
    try:
        answer: Mapping[Any, Any] = await server.command(*words)
    except (ConfigError, StoreError) as error:
        if any(sign in error.found.lower() for sign in ("no permissions", "noperm", "unknown command")):
            return None
        raise
    return answer


def warnings_for(info: Mapping[str, str]) -> tuple[str, ...]:
    """What in these settings can lose accepted work, as sentences with the advice."""
    found: list[str] = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"maxmemory-policy is {policy}: when memory is full the server may delete tasks. Set it to noeviction."
        )
    if info.get("cluster_enabled") == "1" and info.get("via") != Via.CLUSTER.value:
        found.append(
            "the server is a node of a cluster: when its slots move, this URL leads nowhere. Use redis+cluster://."
        )
    if info.get("aof_enabled") == "0":
        found.append(_without_log(info.get("save")))
    return tuple(found)


def _without_log(save: str | None) -> str:
    if save == "":
        return "nothing is written to disk: a restart of the server loses all tasks. Set appendonly yes."
    return (
        "appendonly is off: a crash of the server loses all tasks since the last snapshot, if there is one. "
        "Set appendonly yes."
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _version(text: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", text)
    return None if match is None else (int(match[1]), int(match[2]))
