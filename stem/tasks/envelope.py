"""What travels: one header line and one payload line, both JSON; never changed after it is published."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Required, cast

from typing_extensions import TypedDict

from stem.clock import Micros
from stem.codec import dump_json, object_reader
from stem.errors import Undecodable
from stem.tasks.options import JsonValue
from stem.tasks.retry import Backoff

__all__ = ["Envelope", "decode_envelope", "encode_envelope"]

_FORMAT: Final = 1
_LARGEST: Final = 1e300
"""Numbers of a backoff beyond this, infinite ones and NaN are damage: no wait can be reckoned from them."""


class Envelope(NamedTuple):
    """A task as its producer made it. Durations are microseconds, counted from the moment the store accepts it.

    A named tuple, because one is made for each task: a frozen dataclass costs three times as much to make.
    """

    id: str
    payload: bytes
    name: str
    version: int = 1
    contract: str = ""
    queue: str = "default"
    priority: int = 0
    max_retries: int = 3
    expires: Micros | None = None
    result_ttl: Micros = 86_400_000_000
    ignore_result: bool = False
    retry: Backoff | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    meta: Mapping[str, JsonValue] = MappingProxyType({})
    tags: tuple[str, ...] = ()
    root: str = ""
    """The id of the first task of this lineage; empty for a task that is its own root."""
    parent: str | None = None

    def __repr__(self) -> str:
        """Without the payload, which may hold secrets."""
        shown = (f"{name}={value!r}" for name, value in self._asdict().items() if name != "payload")
        return f"Envelope({', '.join(shown)})"


class Header(TypedDict, total=False):
    """The header line: what an envelope has besides its payload, without the fields that have their default."""

    v: Required[Literal[1]]
    id: Required[str]
    name: Required[str]
    version: int
    contract: str
    queue: str
    priority: int
    max_retries: int
    expires: int
    result_ttl: int
    ignore_result: bool
    retry: list[int | float]
    headers: dict[str, str]
    meta: dict[str, Any]
    tags: tuple[str, ...]
    root: str
    parent: str


def encode_envelope(envelope: Envelope) -> bytes:
    """The bytes that are stored: `{header}\\n{payload}`. Fields that have their default are left out of the header."""
    return b'{"v":1,"id":%b,%b\n%b' % (dump_json(envelope.id), _rest_of_header(envelope), envelope.payload)


def _rest_of_header(envelope: Envelope) -> bytes:
    """What follows the id. Tasks that differ in nothing but their id and payload have it in common."""
    if envelope[_SPECIAL] == _NOTHING_SPECIAL:
        return _common_rest(envelope[_ORDINARY])
    return _written(envelope)


@lru_cache(maxsize=1024)
def _common_rest(ordinary: tuple[Any, ...]) -> bytes:
    return _written(Envelope("", b"", *ordinary))


def _written(envelope: Envelope) -> bytes:
    header: dict[str, object] = {"name": envelope.name, "version": envelope.version}
    fields = zip(_OPTIONAL, _optional_of(envelope), _DEFAULTS, strict=True)
    header.update({key: value for key, value, default in fields if value != default})
    retry = envelope.retry
    if retry is not None:
        header["retry"] = (retry.initial, retry.factor, retry.max_delay, retry.jitter)
    return dump_json(header)[1:]


def decode_envelope(data: bytes) -> Envelope:
    """The envelope of stored bytes; header fields of a later release are passed over.

    Raises `Undecodable` for anything that is no envelope of this format.
    """
    return envelope_of(*open_envelope(data))


def open_envelope(data: bytes) -> tuple[Header, bytes]:
    """The header of stored bytes, with the fields that it has, and the payload: all that most handlers need.

    Raises `Undecodable` for anything that is no envelope of this format.
    """
    head, newline, payload = data.partition(b"\n")
    if not newline:
        raise _damaged("one line")
    try:
        return _read_header(head), payload
    except Undecodable as error:
        raise _damaged(error.found) from None


def envelope_of(header: Header, payload: bytes) -> Envelope:
    """The envelope that was opened. Raises `Undecodable` for a backoff that cannot be one."""
    known = {key: value for key, value in header.items() if key not in ("v", "retry")}
    return Envelope(payload=payload, retry=retry_of(header), **cast("dict[str, Any]", known))


def retry_of(header: Header) -> Backoff | None:
    """The backoff that the call brings. Raises `Undecodable` for numbers from which no wait can be reckoned."""
    numbers = header.get("retry")
    if numbers is None:
        return None
    if len(numbers) != 4 or not all(abs(number) <= _LARGEST for number in numbers):
        raise _damaged("a `retry` of other numbers")
    initial, factor, max_delay, jitter = numbers
    return Backoff(cast("int", initial), factor, cast("int", max_delay), jitter)


def _damaged(found: str) -> Undecodable:
    return Undecodable(
        expected="an envelope: a JSON header line and a payload line, format 1",
        found=found,
        do="Check what wrote this record; a newer Stem needs newer workers.",
    )


_OPTIONAL: Final = (
    *("contract", "queue", "priority", "max_retries", "expires", "result_ttl", "ignore_result"),
    *("headers", "meta", "tags", "root", "parent"),
)
_ORDINARY: Final = slice(2, 11)
"""From `name` to `ignore_result`: what few values are found of."""
_SPECIAL: Final = slice(11, None)
_NOTHING_SPECIAL: Final = Envelope(id="", payload=b"", name="")[_SPECIAL]
_optional_of: Final = attrgetter(*_OPTIONAL)
_DEFAULTS: Final = _optional_of(Envelope(id="", name="", payload=b""))
_read_header: Final = object_reader(Header)
