"""`stem.lock.json`: every contract of the project in a form that is made for review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from stem.errors import BuildError
from stem_builder.lock.contract import default_value, digest, type_data
from stem_builder.lock.layout import lay_out
from stem_builder.lock.normalise import Schema

if TYPE_CHECKING:
    from stem_builder.lock.schemas import TypeSchema
    from stem_builder.model import Option, Package, Parameter, Task, TypeRef

__all__ = ["LOCK_VERSION", "lock_document", "lock_entry", "read_lock"]

LOCK_VERSION: Final = 1
_SHAPES: Final = frozenset({"properties", "prefixItems", "enum", "$ref", "$opaque"})


def lock_entry(
    package: Package, types: Mapping[TypeRef, TypeSchema], *, contract: str, contracts: Mapping[str, str]
) -> Schema:
    """One package of the lock. A type with a name and a shape stands under `models`, and elsewhere by name and hash."""
    refs = [ref for task in package.tasks for ref in (*(one.type for one in task.parameters), task.result)]
    models = {home: _model(types[ref]) for ref in refs if (home := _home(ref, types))}
    return {
        "contract": contract,
        "models": cast("Schema", models),
        "tasks": {task.name: _task(task, types, contracts[task.name]) for task in package.tasks},
    }


def lock_document(packages: Mapping[str, Schema], *, version: str) -> str:
    """The text of the file: sorted, and laid out so that a review shows one field per line."""
    release = ".".join(version.split(".")[:2])
    document: Schema = {
        "generator": f"stem-build {release}",
        "lock_version": LOCK_VERSION,
        "packages": cast("Schema", dict(packages)),
    }
    return lay_out(document, opened=4)


def read_lock(text: str) -> dict[str, Schema]:
    """The packages of an existing lock; raises `BuildError` for a text that is none of ours or of another version."""
    try:
        document = json.loads(text)
        found = document["lock_version"], document["packages"]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(f"{type(error).__name__}: {error}") from error
    if found[0] != LOCK_VERSION or not isinstance(found[1], dict):
        raise _unreadable(f"lock_version {found[0]!r}")
    return cast("dict[str, Schema]", found[1])


def _unreadable(found: str) -> BuildError:
    return BuildError(
        expected=f"stem.lock.json with lock_version {LOCK_VERSION}",
        found=found,
        do="Run `stem-build gen` without a package name: it writes the lock anew.",
    )


def _task(task: Task, types: Mapping[TypeRef, TypeSchema], contract: str) -> Schema:
    data: Schema = {
        "contract": contract,
        "handler": f"{task.module}:{task.qualname}",
        "options": {option.name: _option(option) for option in task.options},
        "params": [_parameter(one, types) for one in task.parameters],
        "queue": task.queue,
        "result": _reference(task.result, types),
        "version": task.version,
    }
    return {key: value for key, value in data.items() if value != {}}


def _option(option: Option) -> str:
    return "".join(part if isinstance(part, str) else part.name for part in option.value.parts)


def _parameter(parameter: Parameter, types: Mapping[TypeRef, TypeSchema]) -> Schema:
    data: Schema = {
        "kind": parameter.kind.value,
        "name": parameter.name,
        "required": parameter.default is None,
        "type": _reference(parameter.type, types),
    }
    return data if parameter.default is None else data | {"default": default_value(parameter.default)}


def _reference(ref: TypeRef, types: Mapping[TypeRef, TypeSchema]) -> Schema:
    home = _home(ref, types)
    if home:
        named: Schema = {"$model": home, "hash": digest(type_data(types[ref]))}
        return {**named, "opaque": True} if types[ref].opaque else named
    data = type_data(types[ref])
    return cast("Schema", data["schema"]) if len(data) == 1 else data


def _model(schema: TypeSchema) -> Schema:
    return {"hash": digest(type_data(schema)), **type_data(schema)}


def _home(ref: TypeRef, types: Mapping[TypeRef, TypeSchema]) -> str:
    """The home of an annotation that is one name with a shape of its own, else the empty string.

    `datetime` or a `NewType` of `int` is its schema; a model, an enum or what is opaque is named.
    """
    part = ref.parts[0] if len(ref.parts) == 1 else ""
    return "" if isinstance(part, str) or not _SHAPES & types[ref].validation.keys() else part.home
