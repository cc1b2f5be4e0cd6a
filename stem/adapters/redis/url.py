"""Where the server is and how to reach it: the URL of the engine, taken apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from stem.errors import ConfigError

__all__ = ["Address", "Credentials", "Place", "Tls", "Via", "check_namespace", "parse_url"]

_TLS: Final = ("rediss", "valkeys")
_SCHEMES: Final = ("redis", "valkey", *_TLS)
_TLS_OPTIONS: Final = (
    *("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
    *("ssl_password", "ssl_cert_reqs", "ssl_check_hostname"),
)
_SENTINEL_OPTIONS: Final = ("sentinel_username", "sentinel_password")
_OPTIONS: Final = ("db", "timeout", "connections", *_TLS_OPTIONS, *_SENTINEL_OPTIONS)
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_HOST: Final = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]*)(?::(\d{1,5}))?")
_FORMS: Final = (
    "redis://[user:password@]host[:6379][/0], rediss://... (TLS), redis://[user:password@]/path/to.sock[?db=0], "
    "redis+sentinel://[user:password@]host[:26379][,...]/primary[/0] or redis+cluster://[user:password@]host[:6379][,...]"
)


class Via(Enum):
    """How the server is found; its value is what the scheme says behind `+`."""

    SERVER = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_PORTS: Final = {Via.SERVER: 6379, Via.SENTINEL: 26379, Via.CLUSTER: 6379}


class Address(NamedTuple):
    """A host and a port."""

    host: str = "localhost"
    port: int = 6379

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password, which is in no text that this makes."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a certificate is judged, and what is shown in return: files in PEM form."""

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    password: str | None = field(default=None, repr=False)
    """Of the key file."""
    verify: bool = True
    check_hostname: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database of one server. No password is in any text that this makes."""

    hosts: tuple[Address, ...] = (Address(),)
    """The server; or those who know where it is, sentinels or nodes of a cluster."""
    via: Via = Via.SERVER
    service: str | None = None
    """The name under which sentinels know the primary."""
    socket: str | None = None
    db: int = 0
    user: Credentials = Credentials()
    sentinel_user: Credentials = Credentials()
    timeout: float = 5.0
    """Seconds to wait for the server, to connect and for an answer."""
    connections: int = 8
    """How many calls may be under way at a time."""
    tls: Tls | None = None

    def __str__(self) -> str:
        """The place as messages show it."""
        if self.socket is not None:
            return f"redis://{self.socket}?db={self.db}"
        scheme = f"redis{'s' if self.tls else ''}{f'+{self.via.value}' if self.via.value else ''}"
        path = f"{self.service}/{self.db}" if self.service else str(self.db)
        return f"{scheme}://{','.join(map(str, self.hosts))}/{path}"


class _Parts(NamedTuple):
    """A URL by its parts; the path without the slashes around it."""

    via: Via
    tls: bool
    user: Credentials
    hosts: str
    path: str


def parse_url(url: str) -> Place:
    """The place that a URL names. Raises `ConfigError`, which does not repeat the URL, for one that does not fit.

    A path that is no number is the path of a Unix socket; behind sentinels it begins with the primary's name. The
    options have the names that redis-py gives them; `ssl_cert_reqs` is `required` or `none`.
    """
    parts, options = _split(url)
    socket = unquote(f"/{parts.path}") if _is_socket(parts) else None
    if socket is not None and parts.tls:
        raise _wrong("TLS over TCP", "a Unix socket")
    service, db = _service_and_db(parts, options, socket)
    return Place(
        hosts=_addresses(parts),
        via=parts.via,
        service=service,
        socket=socket,
        db=db,
        user=parts.user,
        sentinel_user=Credentials(options.get("sentinel_username"), options.get("sentinel_password")),
        timeout=_number(options, "timeout", 5.0),
        connections=max(2, int(_number(options, "connections", 8))),
        tls=_tls(options) if parts.tls else None,
    )


def check_namespace(namespace: str) -> str:
    """The namespace, which becomes part of every key. Raises `ConfigError` for characters that do not fit there."""
    if _NAMESPACE.fullmatch(namespace) is None:
        raise ConfigError(
            expected="a namespace of up to 100 letters, digits, '_', '.', ':' and '-'",
            found=repr(namespace),
            do="Choose another namespace.",
        )
    return namespace


def _split(url: str) -> tuple[_Parts, dict[str, str]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong(_FORMS, "a URL that cannot be read") from None
    family, _, kind = parts.scheme.partition("+")
    if family not in _SCHEMES or kind not in {via.value for via in Via}:
        raise _wrong(_FORMS, f"the scheme '{parts.scheme}'")
    if parts.fragment:
        raise _wrong(_FORMS, "a '#', which has to be written %23 in a password")
    via, tls = Via(kind), family in _TLS
    who, _, hosts = parts.netloc.rpartition("@")
    name, _, password = who.partition(":")
    user = Credentials(unquote(name) or None, unquote(password) or None)
    options = _options(parts.query, via=via, tls=tls)
    return _Parts(via, tls, user, hosts, parts.path.strip("/")), options


def _options(query: str, *, via: Via, tls: bool) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(_OPTIONS))
    if unknown:
        raise _wrong(f"the options {', '.join(_OPTIONS)}", f"the option '{unknown[0]}'")
    if not tls and not options.keys().isdisjoint(_TLS_OPTIONS):
        raise _wrong("TLS options on a rediss:// URL", "a URL without TLS")
    if via is not Via.SENTINEL and not options.keys().isdisjoint(_SENTINEL_OPTIONS):
        raise _wrong("a sentinel's user on a redis+sentinel:// URL", "another scheme")
    return options


def _is_socket(parts: _Parts) -> bool:
    return parts.via is Via.SERVER and not parts.hosts and parts.path != "" and not parts.path.isdecimal()


def _service_and_db(parts: _Parts, options: Mapping[str, str], socket: str | None) -> tuple[str | None, int]:
    service, _, path = parts.path.partition("/") if parts.via is Via.SENTINEL else ("", "", parts.path)
    if parts.via is Via.SENTINEL and not service:
        raise _wrong("the primary's name behind the sentinels: redis+sentinel://host:26379/primary/0", "none")
    path = "" if socket is not None else path
    if path and "db" in options:
        raise _wrong("the database once", "a database in the path and another in the options")
    text = path or options.get("db", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise _wrong("the number of a database", f"'{text}'" if "@" not in text else "a '/' before the '@'")
    if int(text) and parts.via is Via.CLUSTER:
        raise _wrong("database 0, the only one of a cluster", f"'{text}'")
    return unquote(service) or None, int(text)


def _addresses(parts: _Parts) -> tuple[Address, ...]:
    hosts = tuple(_address(text, parts.via) for text in parts.hosts.split(","))
    if len(hosts) > 1 and parts.via is Via.SERVER:
        raise _wrong("one host, or redis+sentinel:// or redis+cluster:// before several", f"{len(hosts)} hosts")
    return hosts


def _address(text: str, via: Via) -> Address:
    match = _HOST.fullmatch(text)
    if match is None or int(match[2] or 1) not in range(1, 65_536):
        raise _wrong(_FORMS, "a URL that cannot be read")
    return Address(unquote(match[1].strip("[]")) or "localhost", int(match[2] or _PORTS[via]))


def _tls(options: Mapping[str, str]) -> Tls:
    demand = options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if demand not in {"required", "none"}:
        raise _wrong("ssl_cert_reqs to be required or none", f"'{options['ssl_cert_reqs']}'")
    named = options.get("ssl_check_hostname", "true").lower()
    if named not in {"true", "false"}:
        raise _wrong("ssl_check_hostname to be true or false", f"'{options['ssl_check_hostname']}'")
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise _wrong("ssl_certfile, whose key ssl_keyfile is", "ssl_keyfile alone")
    return Tls(
        ca_certs=options.get("ssl_ca_certs"),
        certfile=options.get("ssl_certfile"),
        keyfile=options.get("ssl_keyfile"),
        password=options.get("ssl_password"),
        verify=demand == "required",
        check_hostname=demand == "required" and named == "true",
    )


def _number(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise _wrong(f"{name} to be a number above 0", f"'{text}'")
    return value


def _wrong(expected: str, found: str) -> ConfigError:
    return ConfigError(expected=expected, found=found, do="Correct the URL.")
