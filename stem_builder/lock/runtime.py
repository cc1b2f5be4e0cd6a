"""`_stem/contract.json`: the schemas that a worker or a tool needs at run time, without any model imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stem_builder.lock.layout import lay_out
from stem_builder.lock.normalise import Json, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stem_builder.lock.schemas import TypeSchema
    from stem_builder.model import Package, Task, TypeRef

__all__ = ["contract_document"]


def contract_document(
    package: Package, types: Mapping[TypeRef, TypeSchema], *, contract: str, contracts: Mapping[str, str]
) -> str:
    """The text of the file: per task its version, its hash, the schema of its arguments as a map, and of its result."""
    tasks: Schema = {
        task.name: {
            "version": task.version,
            "contract": contracts[task.name],
            "arguments": _arguments(task, types),
            "result": _visible(types[task.result].serialization),
        }
        for task in package.tasks
    }
    document: Schema = {"contract": contract, "tasks": tasks}
    return lay_out(document, opened=2)


def _arguments(task: Task, types: Mapping[TypeRef, TypeSchema]) -> Schema:
    properties: Schema = {
        one.name: _moved(_visible(types[one.type].validation), f"#/properties/{one.name}/$defs/")
        for one in task.parameters
    }
    required: list[Json] = [one.name for one in task.parameters if one.default is None]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _visible(schema: Schema) -> Schema:
    """An opaque type accepts anything here: only the worker knows it."""
    return {} if "$opaque" in schema else schema


def _moved(value: Json, prefix: str) -> Json:
    """References to definitions follow the schema to its new place inside the arguments."""
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return prefix + value.removeprefix("#/$defs/")
    if isinstance(value, list):
        return [_moved(item, prefix) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item, prefix) for key, item in value.items()}
    return value
