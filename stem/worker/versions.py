"""How each version of a task's arguments is read: today's as it is, an older one through its upcast."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from stem.codec import dump_json, load_object
from stem.errors import ConfigError, InvalidArguments, Undecodable
from stem.tasks.codecs import TaskCodecs
from stem.tasks.definition import DEFAULT, Binding
from stem.tasks.inspection import stub_of
from stem.tasks.upcasts import upcasts_of

__all__ = ["Reader", "older_readers"]

Upcast: TypeAlias = Callable[..., object]
Reader: TypeAlias = Callable[[bytes], dict[str, object]]
"""From a payload to the handler's keyword arguments. Raises `Undecodable`, and what an upcast raises."""


def older_readers(binding: Binding) -> Mapping[int, Reader]:
    """The readers of the older versions that a handler takes: those it accepts as they are, and those of upcasts.

    Raises `ConfigError` for an upcast whose types do not fit.
    """
    accepted = dict.fromkeys(binding.options.accepts, binding.definition.arguments.decode)
    upcasts = upcasts_of(binding.handler)
    return {**accepted, **{version: _reader(binding, upcast) for version, upcast in upcasts.items()}}


def _reader(binding: Binding, upcast: Upcast) -> Reader:
    new, first = binding.definition.arguments, _first_parameter(binding)
    stub = stub_of(binding.name, upcast)
    old = TaskCodecs(binding.name, stub, {}, omit=DEFAULT).arguments
    by_name = _gives_mapping(stub.__annotations__["return"], first)
    if not by_name:
        _check_result(binding, upcast, stub.__annotations__["return"], first)

    def renew(payload: bytes) -> bytes:
        given = upcast(**old.decode(payload))
        return new.encode((), cast("Mapping[str, object]", given) if by_name else {first.name: given})

    def renew_first(payload: bytes) -> bytes:
        fields = load_object(payload)
        given = upcast(**old.decode(dump_json(fields.get(first.name))))
        return dump_json({**fields, first.name: given})

    step = renew_first if old.single and not new.single and not by_name else renew

    def read(payload: bytes) -> dict[str, object]:
        try:
            return new.decode(step(payload))
        except InvalidArguments as error:
            raise Undecodable(
                expected=f"upcast `{upcast.__qualname__}` to give arguments that fit task '{binding.name}'",
                found=error.found,
                do="Correct it, then replay the dead letter.",
            ) from None

    return read


def _first_parameter(binding: Binding) -> inspect.Parameter:
    """The first parameter that travels, with its type. Raises `ConfigError` for a handler that takes no arguments."""
    parameters = inspect.signature(stub_of(binding.name, binding.handler)).parameters
    if not parameters:
        raise ConfigError(
            expected=f"task '{binding.name}' to take arguments, since it has an upcast",
            found="a handler without parameters",
            do="Take the upcast away and say @task(accepts=...), or give the handler its parameters.",
        )
    return next(iter(parameters.values()))


def _gives_mapping(result: object, first: inspect.Parameter) -> bool:
    """Whether an upcast gives all arguments by name, and not the value of the first."""
    kind = typing.get_origin(result) or result
    is_mapping = typing.is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, Mapping))
    return is_mapping and result != first.annotation


def _check_result(binding: Binding, upcast: Upcast, result: object, first: inspect.Parameter) -> None:
    wanted = first.annotation
    if result == wanted or (isinstance(result, type) and isinstance(wanted, type) and issubclass(result, wanted)):
        return
    raise ConfigError(
        expected=f"upcast `{upcast.__qualname__}` to give `{_shown(wanted)}`, the first argument of task "
        f"'{binding.name}', or a mapping with all of them",
        found=f"`{_shown(result)}`",
        do="Correct its return annotation, or what it returns.",
    )


def _shown(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
