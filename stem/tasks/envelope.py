"""What travels: one header line and one payload line, both JSON; never changed after it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stem.clock import Micros
from stem.codec import dump_json, load_object
from stem.errors import Undecodable
from stem.tasks.options import JsonValue
from stem.tasks.retry import Backoff

__all__ = ["Envelope", "decode_envelope", "encode_envelope"]

_FORMAT: Final = 1
_LARGEST: Final = 1e300
"""Numbers of a backoff beyond this, infinite ones and NaN are damage: no wait can be reckoned from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A task as its producer made it. Durations are microseconds, counted from the moment the store accepts it."""

    id: str
    name: str
    payload: bytes = field(repr=False)
    version: int = 1
    contract: str = ""
    queue: str = "default"
    priority: int = 0
    max_retries: int = 3
    expires: Micros | None = None
    result_ttl: Micros = 86_400_000_000
    ignore_result: bool = False
    retry: Backoff | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    tags: tuple[str, ...] = ()
    root: str = ""
    """The id of the first task of this lineage; empty for a task that is its own root."""
    parent: str | None = None


def encode_envelope(envelope: Envelope) -> bytes:
    """The bytes that are stored: `{header}\\n{payload}`. Fields that have their default are left out of the header."""
    header: dict[str, object] = {"v": _FORMAT, "id": envelope.id, "name": envelope.name, "version": envelope.version}
    for key, default in _OPTIONAL.items():
        value = getattr(envelope, key)
        if value != default:
            header[key] = value
    retry = envelope.retry
    if retry is not None:
        header["retry"] = (retry.initial, retry.factor, retry.max_delay, retry.jitter)
    return dump_json(header) + b"\n" + envelope.payload


def decode_envelope(data: bytes) -> Envelope:
    """The envelope of stored bytes; header fields of a later release are passed over.

    Raises `Undecodable` for anything that is no envelope of this format.
    """
    head, newline, payload = data.partition(b"\n")
    if not newline:
        raise _damaged("one line")
    header = load_object(head)
    if header.pop("v", None) != _FORMAT:
        raise _damaged("another format version")
    try:
        return _from_header(header, payload)
    except (TypeError, ValueError) as error:
        raise _damaged(str(error)) from None


def _from_header(header: dict[str, Any], payload: bytes) -> Envelope:
    known = {key: header[key] for key in _KINDS if key in header}
    for key, value in known.items():
        _require(type(value) is _KINDS[key], key)
    _require(all(type(value) is str for value in known.get("headers", {}).values()), "headers")
    tags = header.get("tags", ())
    _require(all(type(tag) is str for tag in tags), "tags")
    return Envelope(payload=payload, retry=_backoff(header.get("retry")), tags=tuple(tags), **known)


def _backoff(numbers: Any) -> Backoff | None:
    if numbers is None:
        return None
    _require(all(type(number) in (int, float) and abs(number) <= _LARGEST for number in numbers), "retry")
    return Backoff(*numbers)


def _require(holds: bool, field_name: str) -> None:
    if not holds:
        raise TypeError(f"a `{field_name}` of another type")


def _damaged(found: str) -> Undecodable:
    return Undecodable(
        expected="an envelope: a JSON header line and a payload line, format 1",
        found=found,
        do="Check what wrote this record; a newer Stem needs newer workers.",
    )


_OPTIONAL: Final[Mapping[str, object]] = {
    "contract": "",
    "queue": "default",
    "priority": 0,
    "max_retries": 3,
    "expires": None,
    "result_ttl": 86_400_000_000,
    "ignore_result": False,
    "headers": {},
    "meta": {},
    "tags": (),
    "root": "",
    "parent": None,
}
_KINDS: Final[Mapping[str, type]] = {
    "id": str,
    "name": str,
    "version": int,
    "contract": str,
    "queue": str,
    "priority": int,
    "max_retries": int,
    "expires": int,
    "result_ttl": int,
    "ignore_result": bool,
    "headers": dict,
    "meta": dict,
    "root": str,
    "parent": str,
}
