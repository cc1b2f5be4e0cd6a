"""What the server and the driver say, in Stem's words: one table; nothing of the driver gets out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from redis import exceptions as driver

from stem.errors import ConfigError, StemError, StoreError, StoreFull, StoreReadOnly, StoreUnavailable

__all__ = ["DRIVER_ERRORS", "closed", "is_moved_role", "translate"]

DRIVER_ERRORS: Final = (driver.RedisError, OSError)
"""Everything that a call of the driver raises when the server or the way to it is the reason."""

_WAIT: Final = "Wait, or look at the server's log; what was accepted is intact."
_USER: Final = (ConfigError, "a user and password that the server takes", "Correct them in the URL.")
_RIGHTS: Final = (
    ConfigError,
    "a user that may use the keys and the channel of the namespace",
    "Allow ~{stem:*}* &{stem:*}* +@all -@dangerous, and +info where warnings are wanted.",
)
_DB: Final = (ConfigError, "a database that exists", "Correct the number of the database in the URL.")

_Reason = tuple[type[StemError], str, str]
_BY_TEXT: Final[Mapping[str, _Reason]] = {
    "READONLY": (StoreReadOnly, "a primary that can be written", "Point the URL at the primary, not at a replica."),
    "OOM command": (StoreFull, "memory for more", "Raise maxmemory, or let workers and retention catch up."),
    "used memory > 'maxmemory'": (StoreFull, "memory for more", "Raise maxmemory, or let retention catch up."),
    "MISCONF": (StoreFull, "a server that can write to its disk", "Make space for its snapshots and its log."),
    "WRONGPASS": _USER,
    "NOAUTH": _USER,
    "invalid password": _USER,
    "invalid username-password": _USER,
    "without any password configured": _USER,
    "Authentication required": _USER,
    "no permissions": _RIGHTS,
    "No permissions": _RIGHTS,
    "NOPERM": _RIGHTS,
    "can't access at least one of the keys": _RIGHTS,
    "can't run this command": _RIGHTS,
    "DB index is out of range": _DB,
    "invalid DB index": _DB,
    "cluster support disabled": (ConfigError, "a node of a cluster", "It is a single server: use redis://."),
    "loading the dataset": (StoreUnavailable, "a server that has loaded its data", _WAIT),
    "BUSY ": (StoreUnavailable, "a server that is not busy with a script", _WAIT),
    "max number of clients": (StoreUnavailable, "a free connection", "Raise maxclients, or open fewer stores."),
    "invalid bulk length": (StoreError, "values that the server takes", "Send less, or raise its proto-max-bulk-len."),
    "certificate required": (ConfigError, "a certificate that the server accepts", "Add ssl_certfile and ssl_keyfile."),
    "WRONGTYPE": (StoreError, "keys of this engine only", "Choose a namespace that no other program uses."),
}
_BY_KIND: Final[Mapping[type[BaseException], _Reason]] = {
    driver.MovedError: (ConfigError, "a URL that finds the node of a namespace", "A cluster is redis+cluster://."),
    driver.AskError: (StoreUnavailable, "a slot that stands still", _WAIT),
    driver.TryAgainError: (StoreUnavailable, "a slot that stands still", _WAIT),
    driver.MasterDownError: (StoreUnavailable, "a replica with its primary", _WAIT),
    driver.ClusterDownError: (StoreUnavailable, "a cluster that is up", _WAIT),
}
_TLS: Final = "Check rediss:// against the server's setting, ssl_ca_certs, and the name in its certificate."
_HOST: Final = "Correct the host name in the URL."
_REACH: Final = (
    "Check that the server runs, its address, that plain and TLS ports are not mixed up, and over TLS whether it wants "
    "to see an ssl_certfile."
)
_NO_WAY: Final[Mapping[type[BaseException], _Reason]] = {
    ssl.SSLCertVerificationError: (ConfigError, "a certificate that can be trusted", _TLS),
    socket.gaierror: (StoreUnavailable, "a host name that can be resolved", _HOST),
}
_BROKEN_TLS: Final[Mapping[type[BaseException], _Reason]] = {
    ssl.SSLError: (StoreUnavailable, "a TLS connection", _TLS),
}
_UNREACHED: Final = (StoreUnavailable, "a Redis server that answers", _REACH)
_SILENCE: Final[Mapping[type[BaseException], _Reason]] = {
    driver.ConnectionError: _UNREACHED,
    driver.TimeoutError: _UNREACHED,
    OSError: _UNREACHED,
}
_FAULT: Final = (
    StoreError,
    "a command that the server can run",
    "Report this with the message; it is a fault of Stem.",
)


def translate(error: BaseException, place: object) -> StemError:
    """The error to raise in the place of one of the driver; `place` says which server, without the password."""
    own = next((one for one in _causes(error) if isinstance(one, StemError)), None)
    if own is not None:
        return own
    (kind, expected, do), found = _explain(error)
    return kind(expected=f"{expected}: {place}", found=_text(found), do=do)


def _explain(error: BaseException) -> tuple[_Reason, BaseException]:
    """The reason, and which of the errors behind this one says it best."""
    chain = list(_chain(error))
    text = _text(error)
    if (reason := _among(chain, _NO_WAY)) is not None:
        return reason, chain[-1]
    if (reason := _among([error], _BY_KIND)) is not None:
        return reason, error
    if (reason := next((reason for sign, reason in _BY_TEXT.items() if sign in text), None)) is not None:
        return reason, error
    if (reason := _among(chain, _BROKEN_TLS)) is not None:
        return reason, chain[-1]
    return _among(chain, _SILENCE) or _FAULT, error


def _among(errors: Sequence[BaseException], reasons: Mapping[type[BaseException], _Reason]) -> _Reason | None:
    """The reason of the first kind that one of the errors is."""
    kinds = (kind for kind in reasons if any(isinstance(error, kind) for error in errors))
    return next((reasons[kind] for kind in kinds), None)


def is_moved_role(error: BaseException) -> bool:
    """Whether the server has become a replica, so that connections have to find the new primary."""
    return "READONLY" in _text(error)


def closed(place: object) -> StoreUnavailable:
    """The error of a store that is used after `aclose`."""
    return StoreUnavailable(expected=f"the open store {place}", found="a closed store", do="Open a new store.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made of; not what else was being handled at the time."""
    while error is not None:
        yield error
        error = error.__cause__


def _text(error: BaseException) -> str:
    """The message; with the code that the driver takes off when it makes a class of it."""
    text = str(error) or type(error).__name__
    code = "READONLY " if isinstance(error, driver.ReadOnlyError) else ""
    return text if text.startswith(code) else f"{code}{text}"
