"""Where the server is and how to reach it: the URL of the engine, taken apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from stem.errors import ConfigError

__all__ = ["Place", "check_namespace", "parse_url"]

_TLS_SCHEMES: Final = ("rediss", "valkeys")
_SCHEMES: Final = ("redis", "valkey", *_TLS_SCHEMES)
_VERIFY: Final = ("full", "ca", "none")
_OPTIONS: Final = ("db", "timeout", "connections", "tls_ca", "tls_cert", "tls_key", "tls_verify")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_FORMS: Final = "redis://[user:password@]host[:6379][/0], rediss://... or redis://[user:password@]/path/to.sock[?db=0]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database of one server. The password is in no text that this makes."""

    host: str = "localhost"
    port: int = 6379
    socket: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 5.0
    """Seconds to wait for the server, to connect and for an answer."""
    connections: int = 8
    """How many calls may be under way at a time."""
    tls: bool = False
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_verify: str = "full"

    def __str__(self) -> str:
        """The place as messages show it."""
        if self.socket is not None:
            return f"redis://{self.socket}?db={self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.db}"


def parse_url(url: str) -> Place:
    """The place that a URL names. Raises `ConfigError`, which does not repeat the URL, for one that does not fit.

    A path that is no number is the path of a Unix socket. Options: `db`, `timeout` in seconds, `connections`, and for
    TLS `tls_ca`, `tls_cert`, `tls_key` (files) and `tls_verify` (`full`, `ca` for any host name, `none`).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong(_FORMS, "a URL that cannot be read") from None
    if parts.scheme not in _SCHEMES:
        raise _wrong(_FORMS, f"the scheme '{parts.scheme}'")
    options = _options(parts)
    tls = parts.scheme in _TLS_SCHEMES
    if not tls and any(name.startswith("tls_") for name in options):
        raise _wrong("TLS options on a rediss:// URL", f"a {parts.scheme}:// URL")
    socket = _socket(parts)
    if socket is not None and tls:
        raise _wrong("TLS over TCP", "a Unix socket")
    return Place(
        host=parts.hostname or "localhost",
        port=port or 6379,
        socket=socket,
        db=_db(parts, options, socket),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        timeout=_number(options, "timeout", 5.0),
        connections=max(2, int(_number(options, "connections", 8))),
        tls=tls,
        tls_ca=options.get("tls_ca"),
        tls_cert=options.get("tls_cert"),
        tls_key=options.get("tls_key"),
        tls_verify=options.get("tls_verify", "full"),
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


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(_OPTIONS))
    if unknown:
        raise _wrong(f"the options {', '.join(_OPTIONS)}", f"the option '{unknown[0]}'")
    if options.get("tls_verify", "full") not in _VERIFY:
        raise _wrong(f"tls_verify to be one of {', '.join(_VERIFY)}", f"'{options['tls_verify']}'")
    return options


def _socket(parts: SplitResult) -> str | None:
    path = unquote(parts.path)
    if parts.hostname or path.strip("/") == "" or path.strip("/").isdecimal():
        return None
    return path


def _db(parts: SplitResult, options: Mapping[str, str], socket: str | None) -> int:
    path = "" if socket is not None else parts.path.strip("/")
    if path and "db" in options:
        raise _wrong("the database once", "a database in the path and another in the options")
    text = path or options.get("db", "0")
    if not (text.isascii() and text.isdecimal()):
        raise _wrong("the number of a database", f"'{text}'")
    return int(text)


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
