"""What PostgreSQL and its driver say, in Stem's words: one table; nothing of the driver gets out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from stem.adapters.postgres.url import Place
from stem.errors import (
    ConfigError,
    SchemaMismatch,
    StemError,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)

__all__ = [
    "DRIVER_ERRORS",
    "is_blocked",
    "is_bouncer",
    "is_connection_over",
    "is_guilty",
    "is_passing",
    "is_read_only",
    "is_too_much_news",
    "not_now",
    "translate",
]

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ended while nothing was asked
    OSError,
    TimeoutError,
    EOFError,
    UnicodeError,
)
"""What a call of the driver may raise."""

_Reason = tuple[type[StemError], str, str]

_DOWN: Final[_Reason] = (StoreUnavailable, "a server that takes connections", "Check that it runs and can be reached.")
_HOST: Final[_Reason] = (StoreUnavailable, "a host name that can be resolved", "Correct the host name in the URL.")
_CROWDED: Final[_Reason] = (
    StoreUnavailable,
    "a free connection",
    "Open fewer stores, raise max_connections, or put a PgBouncer before the server.",
)
_LOST: Final[_Reason] = (
    StoreUnavailable,
    "a connection that stays open",
    "Nothing, if this passes: it connects again. If it does not, the server's log says why it ends connections.",
)
_BUSY: Final[_Reason] = (
    StoreUnavailable,
    "rows that others let go within a second",
    "Find the transaction that stays open (pg_stat_activity) and end it.",
)
_FULL: Final[_Reason] = (
    StoreFull,
    "space for the database",
    "Make space; what was accepted is intact, and writing goes on by itself.",
)
_READ_ONLY: Final[_Reason] = (
    StoreReadOnly,
    "a server that takes writes",
    "Use the URL of the primary: this is a replica, or a database or role that is set to read only.",
)
_NOT_NOW: Final[_Reason] = (
    StoreUnavailable,
    "a server that takes writes, as it did before",
    "Nothing, if another server is taking over; else end its `default_transaction_read_only`, or correct the URL.",
)
_POOLER: Final[_Reason] = (
    StoreUnavailable,
    "a PgBouncer that lets connections through",
    "Look into its settings and its log.",
)
_PASSWORD: Final[_Reason] = (ConfigError, "a user and a password that the server takes", "Correct them in the URL.")
_HBA: Final[_Reason] = (
    ConfigError,
    "a user, database and encryption that the server's pg_hba.conf admits",
    "Correct the URL, or have the server admit it.",
)
_DATABASE: Final[_Reason] = (ConfigError, "a database that exists", "Create it, or correct the URL.")
_RIGHTS: Final[_Reason] = (
    ConfigError,
    "a user with the rights it needs (USAGE and CREATE on the schema, all on its tables)",
    "Grant them, or let a user who has them run `stem migrate`.",
)
_TABLES: Final[_Reason] = (SchemaMismatch, "Stem's tables", "Run `stem migrate` with this URL.")
_CORRUPT: Final[_Reason] = (StoreCorrupt, "an intact database", "Look into the server's log; restore a backup.")
_FAULT: Final[_Reason] = (
    StoreError,
    "a statement that PostgreSQL can run",
    "Report this with the message; it is a fault of Stem.",
)
_URL: Final[_Reason] = (ConfigError, "a URL that the driver understands", "Correct the URL.")
_TEXT: Final[_Reason] = (
    ConfigError,
    "text and numbers that PostgreSQL can hold",
    "Correct the id, the name or the filter.",
)
_TLS: Final[_Reason] = (
    ConfigError,
    "a TLS connection as `sslmode` and `sslrootcert` ask for",
    "Correct these parameters of the URL, or the server's certificate.",
)

_REASONS: Final[Mapping[str, _Reason]] = {
    "08": _LOST,
    "25006": _READ_ONLY,
    "25P03": _LOST,
    "28": _HBA,
    "28P01": _PASSWORD,
    "3D000": _DATABASE,
    "3F000": _TABLES,
    "40": _BUSY,
    "42501": _RIGHTS,
    "42703": _TABLES,
    "42P01": _TABLES,
    "53": _DOWN,
    "53100": _FULL,
    "53300": _CROWDED,
    "55P03": _BUSY,
    "57": _DOWN,
    "58": _CORRUPT,
    "58030": _LOST,
    "XX001": _CORRUPT,
    "XX002": _CORRUPT,
}
"""By SQLSTATE, or by its class where all of a class mean the same."""
_KINDS: Final[Sequence[tuple[tuple[type[BaseException], ...], _Reason]]] = (
    ((ssl.SSLError, ssl.CertificateError), _TLS),
    ((asyncpg.ClientConfigurationError,), _URL),
    ((UnicodeError, asyncpg.DataError), _TEXT),
    ((asyncpg.InterfaceError, asyncpg.InternalClientError, EOFError), _LOST),
    ((ConnectionResetError, ConnectionAbortedError, BrokenPipeError), _LOST),
    ((socket.gaierror,), _HOST),
    ((OSError, TimeoutError), _DOWN),
)
"""By what the driver raised, where the server said nothing; the first that fits."""
_BOUNCER_SAYS: Final[Mapping[str, _Reason]] = {
    "authentication failed": _PASSWORD,
    "no such database": _DATABASE,
    "no such user": _PASSWORD,
    "no more connections": _CROWDED,
    "query_wait_timeout": _CROWDED,
}
"""A PgBouncer has one SQLSTATE for everything."""
_GUILTY: Final = ("21", "22", "23", "54")
_PASSING: Final = ("40001", "40P01")
_PROTOCOL: Final = "08P01"
_BOUNCER: Final = (_PROTOCOL, "26000", "42P05")
"""Unknown start parameters, and prepared statements that another client of the same server connection made."""


def translate(error: BaseException, place: Place) -> StemError:
    """The error to raise in the place of one of the driver."""
    if isinstance(error, StemError):
        return error
    kind, expected, do = _reason(error)
    return kind(expected=f"{expected}: {place}", found=str(error) or type(error).__name__, do=do)


def not_now(error: BaseException, place: Place) -> StemError:
    """The error where a server has stopped to take writes while it was used."""
    kind, expected, do = _NOT_NOW
    return kind(expected=f"{expected}: {place}", found=str(error), do=do)


def _reason(error: BaseException) -> _Reason:
    state = _state(error)
    if isinstance(error.__cause__, ssl.SSLError):  # the server ended the connection over our certificate
        return _TLS
    if state == _PROTOCOL:
        return next((reason for sign, reason in _BOUNCER_SAYS.items() if sign in str(error)), _POOLER)
    if state:
        return _REASONS.get(state) or _REASONS.get(state[:2], _FAULT)
    if "SSL upgrade" in str(error):
        return _TLS
    return next((reason for kinds, reason in _KINDS if isinstance(error, kinds)), _FAULT)


def unreadable(error: Exception, place: Place) -> StoreCorrupt:
    """The error for a row of which this code can make nothing: somebody else wrote it."""
    return StoreCorrupt(
        expected=f"rows as Stem writes them: {place}",
        found=f"{type(error).__name__}: {error}",
        do="Look for what else writes to these tables; correct or delete the row, or restore a backup.",
    )


def is_guilty(error: BaseException) -> bool:
    """Whether what was written is the reason, and not the database as a whole."""
    state = _state(error)
    if state:
        return state[:2] in _GUILTY
    return isinstance(error, UnicodeError | asyncpg.DataError)


def is_passing(error: BaseException) -> bool:
    """Whether the same may go well when it is done again at once: deadlocks and serialization failures."""
    return _state(error) in _PASSING


def is_blocked(error: BaseException) -> bool:
    """Whether somebody else's open transaction holds what was needed."""
    return _state(error) == "55P03"


def is_too_much_news(error: BaseException) -> bool:
    """Whether it may be that nobody reads the notices any more, and their queue on the server is full."""
    return _state(error) == "54000"


def is_read_only(error: BaseException) -> bool:
    """Whether the server, the database or the role takes no writes."""
    return _state(error) == "25006"


def is_bouncer(error: BaseException) -> bool:
    """Whether a PgBouncer that pools transactions seems to stand before the server."""
    return _state(error) in _BOUNCER


def is_connection_over(error: BaseException) -> bool:
    """Whether the connection cannot be trusted after this error."""
    state = _state(error)
    return state[:2] in ("08", "57", "25") if state else not is_guilty(error)


def _state(error: BaseException) -> str:
    return (error.sqlstate or "") if isinstance(error, asyncpg.PostgresError) else ""
