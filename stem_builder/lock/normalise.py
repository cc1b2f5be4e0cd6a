"""One form of JSON Schema for one meaning, whatever version of pydantic wrote it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias, cast

__all__ = ["Json", "Schema", "canonical", "normalise"]

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Schema: TypeAlias = "dict[str, Json]"

_DROPPED: Final = frozenset({"title", "description", "examples", "$schema"})
_DATA: Final = frozenset({"default", "const", "enum"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
_UNORDERED: Final = frozenset({"required", "anyOf"})
_PREFIX: Final = "#/$defs/"
_DECIMAL: Final = r"^(?!^[-+.]*$)[+-]?0*\d*"  # how some versions of pydantic, not all, say that a string is a number


def canonical(value: object) -> str:
    """The one text of a JSON value: sorted keys, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def normalise(schema: Schema) -> Schema:
    """The schema without words for people and without noise; what is used once stands where it is used."""
    clean = cast("Schema", _clean(schema))
    while (name := _inlinable(clean)) is not None:
        clean = _inline(clean, name)
    definitions = cast("Schema", clean.get("$defs", {}))
    used: Schema = {name: definitions[name] for name in sorted(definitions) if _uses(clean)[name]}
    bare: Schema = {key: value for key, value in clean.items() if key != "$defs"}
    return {**bare, "$defs": used} if used else bare


def _clean(value: Json) -> Json:
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _entry(key, item) for key, item in value.items() if not _is_noise(key, item, value)}
    return _unwrap(_single(kept))


def _entry(key: str, value: Json) -> Json:
    if key in _DATA:
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _clean(item) for name, item in value.items()}
    cleaned = _clean(value)
    return sorted(cleaned, key=canonical) if key in _UNORDERED and isinstance(cleaned, list) else cleaned


def _is_noise(key: str, value: Json, beside: Schema) -> bool:
    if key == "enum" and "const" in beside:
        return True
    if key == "pattern" and str(value).startswith(_DECIMAL):
        return True
    return key in _DROPPED or (key == "additionalProperties" and value is True)


def _single(schema: Schema) -> Schema:
    """A choice of one value is that value."""
    match schema.get("enum"):
        case [value]:
            return {key: item for key, item in schema.items() if key != "enum"} | {"const": value}
        case _:
            return schema


def _unwrap(schema: Schema) -> Schema:
    """`allOf` of one is that one."""
    wrapped = schema.get("allOf")
    if not isinstance(wrapped, list) or len(wrapped) != 1 or not isinstance(wrapped[0], dict):
        return schema
    return wrapped[0] | {key: value for key, value in schema.items() if key != "allOf"}


def _inlinable(schema: Schema) -> str | None:
    """The first definition that is referred to once, by a plain reference, and not from within itself."""
    definitions = cast("Schema", schema.get("$defs", {}))
    uses = _uses(schema)
    plain = Counter(_plain_references(schema))
    return next(
        (name for name in sorted(definitions) if uses[name] == plain[name] == 1 and not _uses(definitions[name])[name]),
        None,
    )


def _inline(schema: Schema, name: str) -> Schema:
    definitions = dict(cast("Schema", schema["$defs"]))
    target = cast("Schema", definitions.pop(name))
    return cast("Schema", _replace({**schema, "$defs": definitions}, _PREFIX + name, target))


def _replace(value: Json, reference: str, target: Schema) -> Json:
    if isinstance(value, list):
        return [_replace(item, reference, target) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("$ref") == reference:
        return target | {key: item for key, item in value.items() if key != "$ref"}
    return {key: item if key in _DATA else _replace(item, reference, target) for key, item in value.items()}


def _uses(value: Json) -> Counter[str]:
    """How often each definition is named, as a reference or in a discriminator's mapping."""
    return Counter(text.removeprefix(_PREFIX) for text in _strings(value) if text.startswith(_PREFIX))


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)


def _plain_references(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _plain_references(item)
    elif isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_PREFIX)
        for item in value.values():
            yield from _plain_references(item)
