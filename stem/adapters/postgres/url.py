"""Where the database is: what a URL says, and what of it may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from stem.errors import ConfigError

__all__ = ["Place", "parse_url"]

_FORM: Final = "postgresql://user:password@host:5432/database"
_OWN: Final = ("schema", "pgbouncer", "listen")
_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "read-write", "standby", "read-only", "prefer-standby"),
}
_DRIVERS: Final = ("host", "port", "user", "password", "sslpassword", *_FILES, *_WORDS)
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,47}")
_HOST: Final = re.compile(r"(?:[^\s:,/@\[\]]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LAST_PORT: Final = 65_535
_FLAGS: Final[Mapping[str, bool]] = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database, a schema in it, and what stands before it. Its text never shows a password."""

    dsn: str = field(repr=False)
    shown: str
    schema: str
    pgbouncer: bool = False
    listen: str | None = field(default=None, repr=False)
    """Where to listen, when that is another address than all the rest: past a PgBouncer."""
    files: tuple[tuple[str, str], ...] = ()
    """The files that the URL names, each with its parameter."""

    def __str__(self) -> str:
        return self.shown


def parse_url(url: str, namespace: str) -> Place:
    """The place that a URL names; the schema is its `?schema=`, else the namespace.

    Several hosts are tried in turn, as libpq does. Raises `ConfigError`, which does not repeat the URL, for one of
    another form, an unknown parameter, or a schema name that does not fit.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong(_FORM, "a URL that cannot be read") from None
    if "%00" in url or "\0" in unquote(url):
        raise _wrong(_FORM, "a URL with a NUL character")
    user, _, hosts = parts.netloc.rpartition("@")
    if "@" in parts.path or "@" in parts.query:
        raise _wrong(_FORM, "an '@' after the host: one of '/', '?' and '#' in the password has to be percent-encoded")
    if not _is_address(hosts):
        raise _wrong(_FORM, "a host or a port that cannot be read")
    options = _options(parts.query, fragment=parts.fragment)
    schema = _schema(options.pop("schema", namespace))
    pgbouncer = _flag(options.pop("pgbouncer", "0"))
    listen = _address(options.pop("listen", None))
    user = _quoted(user)
    shown_hosts = unquote(hosts) or options.get("host") or "localhost"
    return Place(
        dsn=_dsn(user, hosts, parts.path, options),
        shown=f"postgresql://{_name_of(user)}{shown_hosts}{parts.path}",
        schema=schema,
        pgbouncer=pgbouncer,
        listen=None if listen is None else _dsn(user, listen, parts.path, _without_address(options)),
        files=tuple((name, options[name]) for name in _FILES if options.get(name)),
    )


def _options(query: str, *, fragment: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - set(_DRIVERS) - set(_OWN))
    if unknown or fragment:
        known = ", ".join(sorted((*_OWN, *_DRIVERS)))
        raise _wrong(f"no parameter but {known}", ", ".join(unknown) or "a fragment")
    for name, words in _WORDS.items():
        if options.get(name, words[0]) not in words:
            raise _wrong(f"{name} to be one of {', '.join(words)}", f"'{options[name]}'")
    if not all(_PORT.fullmatch(port) and int(port) <= _LAST_PORT for port in options.get("port", "0").split(",")):
        raise _wrong("port to be a number, or one for each host", f"'{options['port']}'")
    return options


def _dsn(user: str, hosts: str, path: str, options: Mapping[str, str]) -> str:
    """The URL as the driver is given it."""
    return urlunsplit(("postgresql", f"{user}@{hosts}" if user else hosts, path, urlencode(options), ""))


def _quoted(user: str) -> str:
    """User and password so that no character of theirs is taken for the end of them."""
    return ":".join(quote(unquote(part), safe="") for part in user.split(":", 1)) if user else ""


def _name_of(user: str) -> str:
    name = user.partition(":")[0]
    return f"{name}@" if name else ""


def _without_address(options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in options.items() if name not in ("host", "port")}


def _is_address(hosts: str) -> bool:
    """Whether these are hosts, each with its port or without, or none at all."""
    found = [_HOST.fullmatch(host) for host in hosts.split(",")] if hosts else []
    return all(match is not None and int(match[1] or 0) <= _LAST_PORT for match in found)


def _address(text: str | None) -> str | None:
    if text is not None and (not text or not _is_address(text)):
        raise _wrong("listen=host:port, the address of the server itself", f"listen={text.rpartition('@')[2]}")
    return text


def _schema(name: str) -> str:
    if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
        raise _wrong(
            "a schema (or namespace) of up to 48 lower-case letters, digits and underscores, not beginning with a digit"
            " or `pg_`",
            repr(name),
        )
    return name


def _flag(text: str) -> bool:
    found = _FLAGS.get(text.lower())
    if found is None:
        raise _wrong("pgbouncer=1 or pgbouncer=0", f"pgbouncer={text}")
    return found


def _wrong(expected: str, found: str) -> ConfigError:
    return ConfigError(expected=expected, found=found, do="Correct the URL.")
