"""Values to JSON and back, through pydantic; the only module that turns payloads into bytes.

Importing this module imports pydantic; everything above imports it at first use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, NotRequired, Required, TypeVar, cast

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import CoreConfig, PydanticSerializationError, SchemaSerializer, from_json, to_json
from typing_extensions import TypedDict

from stem.errors import ConfigError, InvalidArguments, ResultRefused, Undecodable

__all__ = ["ArgumentsCodec", "ParameterSpec", "ResultCodec", "dump_json", "load_object", "load_value", "object_reader"]

T = TypeVar("T")
Shape = TypeVar("Shape")

_CONFIG: Final = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
_WRITE: Final = CoreConfig(ser_json_inf_nan="constants", ser_json_bytes="base64")
_MOST_LINES: Final = 5
_ANYTHING: Final = {"type": "any"}
_PLAIN: Final = frozenset({"none", "bool", "int", "float", "str", "bytes"})
"""Kinds of schema by which validation lets nothing pass but just these."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter: its name, how it may be passed, and the type its values have."""

    name: str
    annotation: object
    required: bool
    keyword_only: bool
    default: object = None


class ArgumentsCodec:
    """Binds, validates and encodes the arguments of one task; decodes them for its handler.

    A single required parameter whose type is a pydantic model is the payload itself; all others travel as a map by
    name, in which an argument that was not given is left out.
    """

    def __init__(self, task: str, parameters: Sequence[ParameterSpec], *, omit: object) -> None:
        self._task = task
        self._omit = omit
        self._names = tuple(p.name for p in parameters)
        self._positional = tuple(p.name for p in parameters if not p.keyword_only)
        self._required = frozenset(p.name for p in parameters if p.required)
        self._known = frozenset(self._names)
        self._defaults = {p.name: p.default for p in parameters if not p.required and p.default is not omit}
        self._single = self._names[0] if len(parameters) == 1 and _is_model_payload(parameters[0]) else None
        adapter = _arguments_adapter(task, parameters)
        self._validate = adapter.validator.validate_python
        self._validate_json = adapter.validator.validate_json
        self._dump = _writer(adapter, adapter.serializer if self._single else _map_serializer(adapter))

    @property
    def single(self) -> str | None:
        """The parameter whose value is the whole payload; `None` where the payload is a map by name."""
        return self._single

    def encode(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> bytes:
        """The payload of a call. Raises `InvalidArguments`, naming every argument that does not fit."""
        given = self._bind(args, kwargs)
        try:
            value = self._validate(given if self._single is None else given[self._single])
            return self._dump(value)
        except ValidationError as error:
            raise _invalid(self._task, describe(error)) from None
        except PydanticSerializationError as error:
            raise _invalid(self._task, str(error)) from None

    def values(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """The arguments by name, as given, over the defaults that are known here."""
        return {**self._defaults, **self._bind(args, kwargs)}

    def decode(self, payload: bytes) -> dict[str, object]:
        """The keyword arguments for the handler. Raises `Undecodable` when the payload does not fit its types."""
        try:
            value = self._validate_json(payload)
        except ValidationError as error:
            raise Undecodable(
                expected=f"a payload that fits the parameters of task '{self._task}'",
                found=describe(error),
                do="Deploy a handler that accepts this payload, then replay the dead letter.",
            ) from None
        return cast("dict[str, object]", value) if self._single is None else {self._single: value}

    def _bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        if len(args) > len(self._positional):
            raise _invalid(self._task, f"{len(args)} positional arguments; it takes {len(self._positional)}")
        given = dict(zip(self._positional, args, strict=False))
        if kwargs:
            self._add_keywords(given, kwargs)
        if self._omit in given.values():
            given = {name: value for name, value in given.items() if value is not self._omit}
        if not self._required <= given.keys():
            missing = ", ".join(f"`{name}`" for name in self._names if name in self._required - given.keys())
            raise _invalid(self._task, f"no argument for {missing}")
        return given

    def _add_keywords(self, given: dict[str, object], kwargs: Mapping[str, object]) -> None:
        for name in kwargs:
            if name in given:
                raise _invalid(self._task, f"two values for `{name}`")
            if name not in self._known:
                raise _invalid(
                    self._task, f"`{name}`, which is no parameter; it has {', '.join(self._names) or 'none'}"
                )
        given.update(kwargs)


class ResultCodec(Generic[T]):
    """Encodes and decodes the result of one task by its declared type."""

    def __init__(self, task: str, annotation: object) -> None:
        self._task = task
        adapter: TypeAdapter[T] = _adapter(task, annotation)
        self._validate, self._dump = adapter.validator.validate_python, _writer(adapter, adapter.serializer)
        self._validate_json = adapter.validator.validate_json

    def encode(self, value: object) -> bytes:
        """The stored form of a result. Raises `ResultRefused` when it is not of the declared type."""
        try:
            return self._dump(self._validate(value))
        except ValidationError as error:
            found = describe(error)
        except PydanticSerializationError as error:
            found = str(error)
        raise ResultRefused(
            expected=f"a result of task '{self._task}' that fits its return annotation",
            found=found,
            do="Return a value of the annotated type, or correct the annotation and run stem-build.",
        )

    def decode(self, data: bytes) -> T:
        """The result. Raises `Undecodable` when the stored form does not fit the type."""
        try:
            value: T = self._validate_json(data)
        except ValidationError as error:
            raise Undecodable(
                expected=f"a stored result that fits the return type of task '{self._task}'",
                found=describe(error),
                do="Read it with the version of the code that wrote it, or run the task again.",
            ) from None
        return value


def dump_json(value: object) -> bytes:
    """Compact JSON of plain values. Raises `ConfigError` for what JSON cannot hold."""
    try:
        return to_json(value)
    except PydanticSerializationError as error:
        raise ConfigError(
            expected="values that JSON can hold", found=str(error), do="Pass strings, numbers, lists and dicts."
        ) from None


def load_value(data: bytes) -> Any:
    """Any JSON value. Raises `Undecodable` for what is not JSON."""
    try:
        return from_json(data)
    except ValueError as error:
        raise Undecodable(
            expected="a JSON value", found=str(error), do="Look at the stored bytes; they were damaged or foreign."
        ) from None


def load_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises `Undecodable` for anything else."""
    try:
        value = from_json(data)
    except ValueError as error:
        found = str(error)
    else:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        found = f"a JSON {type(value).__name__}"
    raise Undecodable(
        expected="a JSON object", found=found, do="Look at the stored bytes; they were damaged or foreign."
    )


def object_reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """A reader of JSON objects of a typed dict: each field exactly of its type, fields that it does not know left out.

    The reader raises `Undecodable`.
    """
    shape.__pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[attr-defined]  # as above
    validate = TypeAdapter(shape).validator.validate_json

    def read(data: bytes) -> Shape:
        try:
            return cast("Shape", validate(data))
        except ValidationError as error:
            raise Undecodable(
                expected="a JSON object of known shape",
                found=describe(error),
                do="Look at the stored bytes; they were damaged or foreign.",
            ) from None

    return read


def describe(error: ValidationError) -> str:
    """Where and why, line by line, without the values: they may be secret."""
    lines = [f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg']}" for e in error.errors(include_input=False)]
    more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return "; ".join(lines[:_MOST_LINES] + more)


def _invalid(task: str, found: str) -> InvalidArguments:
    return InvalidArguments(
        expected=f"arguments that fit task '{task}'", found=found, do="Correct the call; nothing was stored."
    )


def _is_model_payload(parameter: ParameterSpec) -> bool:
    kind = parameter.annotation
    return parameter.required and isinstance(kind, type) and issubclass(kind, BaseModel)


def _arguments_adapter(task: str, parameters: Sequence[ParameterSpec]) -> TypeAdapter[Any]:
    if len(parameters) == 1 and _is_model_payload(parameters[0]):
        return _adapter(task, parameters[0].annotation)
    wrap = {True: Required, False: NotRequired}
    make = cast("Callable[..., type]", TypedDict)
    shape = make(task, {p.name: wrap[p.required][p.annotation] for p in parameters})
    shape.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]  # the attribute that pydantic reads on a TypedDict
    try:
        return TypeAdapter(shape)
    except PydanticUserError as error:
        raise _untravelled(task, error) from error


def _adapter(task: str, annotation: object) -> TypeAdapter[Any]:
    kind = cast("type[Any]", annotation)
    with contextlib.suppress(PydanticUserError):  # models, dataclasses and typed dicts bring their own configuration
        return TypeAdapter(kind, config=_CONFIG)
    try:
        return TypeAdapter(kind)
    except PydanticUserError as error:
        raise _untravelled(task, error) from error


def _writer(adapter: TypeAdapter[Any], serializer: SchemaSerializer) -> Callable[[object], bytes]:
    """The JSON of values that were validated; raises `PydanticSerializationError` for what does not fit its type.

    That is asked for only where it can happen: saying so takes pydantic ten times as long as writing a number.
    """
    if _fits_once_validated(adapter.core_schema):
        return serializer.to_json
    return partial(serializer.to_json, warnings="error")


def _fits_once_validated(schema: Mapping[str, Any]) -> bool:
    """Whether validation makes every value anew, or is of plain values: then nothing in it can have another type."""
    if "serialization" in schema:
        return False
    match schema["type"]:
        case "nullable" | "typed-dict-field":
            return _fits_once_validated(schema["schema"])
        case "list":
            return _fits_once_validated(schema.get("items_schema", _ANYTHING))
        case "dict":
            parts = schema.get("keys_schema", _ANYTHING), schema.get("values_schema", _ANYTHING)
            return all(map(_fits_once_validated, parts))
        case "typed-dict":
            closed = schema.get("extra_behavior") != "allow"
            return closed and all(map(_fits_once_validated, schema["fields"].values()))
        case kind:
            return kind in _PLAIN


def _map_serializer(adapter: TypeAdapter[Any]) -> SchemaSerializer:
    """A serializer with our settings on top: pydantic applies those of a TypedDict only when it validates."""
    return SchemaSerializer(adapter.core_schema, _WRITE)


def _untravelled(task: str, error: PydanticUserError) -> ConfigError:
    return ConfigError(
        expected=f"types of task '{task}' that can travel as JSON",
        found=str(error.message).partition("\n")[0],
        do="Use types that pydantic can validate: plain values, containers, dataclasses, models.",
    )
