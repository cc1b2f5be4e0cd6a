"""The values of the contract as JSON and back. Only classes that are named here are ever made from a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, cast

from stem.contracts import changes, control, heartbeats, limits, outcomes, store
from stem.tasks.envelope import Envelope
from stem.tasks.links import After, Member
from stem.tasks.rates import Rate
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress

__all__ = ["decode", "encode"]

_MODULES: Final = (changes, control, heartbeats, limits, outcomes, store)
_OTHERS: Final = (Envelope, After, Member, Backoff, Failure, Progress, Rate)


def _is_value(found: object) -> bool:
    return isinstance(found, type) and (is_dataclass(found) or hasattr(cast("object", found), "_fields"))


_FOUND: Final = cast("list[type]", [kind for module in _MODULES for kind in vars(module).values() if _is_value(kind)])
_CLASSES: Final[Mapping[str, type]] = MappingProxyType({kind.__name__: kind for kind in (*_FOUND, *_OTHERS)})
_ENUMS: Final[Mapping[str, type[Enum]]] = MappingProxyType({kind.__name__: kind for kind in (TaskEvent, TaskState)})


def encode(value: object) -> str:
    """One line of JSON. A value of a class is an object with the class's name under `$`."""
    return json.dumps(_plain(value), separators=(",", ":"))


def decode(line: str) -> Any:
    """The value that `encode` wrote; lists come back as tuples. Raises `ValueError` for anything else."""
    try:
        return _valued(json.loads(line))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a value of the contract: {error!r}") from None


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return {"$": "bytes", "of": base64.b64encode(value).decode()}
    if isinstance(value, Enum):
        return {"$": type(value).__name__, "of": value.value}
    if isinstance(value, Mapping):
        return {"$": "map", "of": {key: _plain(item) for key, item in cast("Mapping[str, object]", value).items()}}
    if names := _names(value):
        return {"$": type(value).__name__} | {name: _plain(getattr(value, name)) for name in names}
    return [_plain(item) for item in cast("list[object]", value)]


def _names(value: object) -> tuple[str, ...]:
    """What a value of a class is made of; nothing for a plain list or tuple."""
    if is_dataclass(value):
        return tuple(field.name for field in fields(value))
    return cast("tuple[str, ...]", getattr(value, "_fields", ()))


def _valued(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(map(_valued, cast("list[object]", plain)))
    if not isinstance(plain, dict):
        return plain
    given = cast("dict[str, Any]", plain)
    kind = given.pop("$")
    if kind == "bytes":
        return base64.b64decode(given["of"])
    if kind == "map":
        return {key: _valued(item) for key, item in given["of"].items()}
    if kind in _ENUMS:
        return _ENUMS[kind](given["of"])
    return _CLASSES[kind](**{name: _valued(item) for name, item in given.items()})
