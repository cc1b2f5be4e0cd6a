"""What a task's contract is, and its hash: two sides with equal hashes understand each other's messages."""

from __future__ import annotations

import ast
import hashlib
from math import isfinite
from typing import TYPE_CHECKING, cast

from stem_builder.lock.normalise import Json, Schema, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stem_builder.lock.schemas import TypeSchema
    from stem_builder.model import Default, Package, Parameter, Task, TypeRef

__all__ = ["default_value", "digest", "package_contract", "task_contract", "type_data"]


def digest(value: object) -> str:
    """16 hex digits over the canonical JSON of the value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def task_contract(task: Task, types: Mapping[TypeRef, TypeSchema]) -> str:
    """The hash over name, version, parameters and result of a task.

    Order and kind of parameters are not in it, nor are the names of types: the wire carries a map by name, and a model
    that moves keeps its shape.
    """
    return digest(
        {
            "name": task.name,
            "version": task.version,
            "params": {one.name: _parameter(one, types[one.type]) for one in task.parameters},
            "result": type_data(types[task.result]),
        }
    )


def package_contract(package: Package, contracts: Mapping[str, str]) -> str:
    """The hash over all tasks of a package, with its algorithm: "sha256:" and 16 hex digits."""
    return f"sha256:{digest([[task.name, task.version, contracts[task.name]] for task in package.tasks])}"


def type_data(schema: TypeSchema) -> Schema:
    """Both directions of a type, the second only where it differs."""
    same = canonical(schema.validation) == canonical(schema.serialization)
    return (
        {"schema": schema.validation} if same else {"schema": schema.validation, "serialization": schema.serialization}
    )


def default_value(default: Default) -> Json:
    """A default as JSON: the value of a plain literal, else its text, or that it is computed by the worker."""
    if default.literal is None:
        return {"$computed": True}
    text = "".join(part if isinstance(part, str) else part.home for part in default.literal.parts)
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"$python": text}
    return cast("Json", value) if _is_plain(value) else {"$python": text}


def _is_plain(value: object) -> bool:
    """Whether JSON and UTF-8 can hold the value: no infinity, no lone surrogate."""
    if isinstance(value, str):
        return value.isascii() or value.encode(errors="replace").decode() == value
    return isfinite(value) if isinstance(value, float) else isinstance(value, int | bool | None)


def _parameter(parameter: Parameter, schema: TypeSchema) -> Schema:
    data: Schema = {"required": parameter.default is None, "type": type_data(schema)}
    return data if parameter.default is None else data | {"default": default_value(parameter.default)}
