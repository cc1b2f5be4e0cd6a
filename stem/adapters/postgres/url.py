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
_OWN: Final = ("schema", "pgbouncer")
_DRIVERS: Final = frozenset(
    {
        "host",
        "port",
        "user",
        "password",
        "passfile",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslpassword",
    }
)
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,47}")


@dataclass(frozen=True, slots=True)
class Place:
    """A database, a schema in it, and whether a PgBouncer stands before it. Its text never shows the password."""

    dsn: str = field(repr=False)
    shown: str
    schema: str
    pgbouncer: bool = False

    def __str__(self) -> str:
        return self.shown


def parse_url(url: str, namespace: str) -> Place:
    """The place that a URL names; the schema is its `?schema=`, else the namespace.

    Raises `ConfigError` for a URL of another form, an unknown parameter, or a schema name that does not fit.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong(_FORM, "a URL that cannot be read") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - _DRIVERS - set(_OWN))
    if unknown or parts.fragment:
        known = ", ".join(sorted((*_OWN, *_DRIVERS)))
        raise _wrong(f"no parameter but {known}", ", ".join(unknown) or "a fragment")
    if "%00" in url or "\0" in unquote(url):
        raise _wrong(_FORM, "a URL with a NUL character")
    schema = _schema(options.pop("schema", namespace))
    pgbouncer = _flag(options.pop("pgbouncer", "0"))
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(options), ""))
    host = parts.hostname or options.get("host") or "localhost"
    user = f"{quote(unquote(parts.username))}@" if parts.username else ""
    shown = f"postgresql://{user}{host}{f':{port}' if port else ''}{parts.path}"
    return Place(dsn, shown, schema, pgbouncer)


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


_FLAGS: Final[Mapping[str, bool]] = {"1": True, "true": True, "0": False, "false": False}


def _wrong(expected: str, found: str) -> ConfigError:
    return ConfigError(expected=expected, found=found, do="Correct the URL.")
