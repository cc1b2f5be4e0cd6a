"""From a stub's signature to the codecs of its arguments and its result, made at their first use."""

from __future__ import annotations

import builtins
import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stem.errors import ConfigError

if TYPE_CHECKING:
    from stem.codec import ArgumentsCodec, ResultCodec

__all__ = ["TaskCodecs"]


class TaskCodecs:
    """The codecs of one task. Annotations that are text are evaluated among `types`; their modules are imported then.

    An argument that is `omit` travels as if it had not been given.
    """

    def __init__(self, task: str, stub: Callable[..., object], types: Mapping[str, str], *, omit: object) -> None:
        self._task = task
        self._stub = stub
        self._types = types
        self._omit = omit

    @cached_property
    def arguments(self) -> ArgumentsCodec:
        """How arguments are bound, checked and encoded. Raises `ConfigError` for a type that cannot be imported."""
        from stem.codec import ArgumentsCodec, ParameterSpec

        specs = [
            ParameterSpec(
                name=parameter.name,
                annotation=self._resolve(parameter.annotation),
                required=parameter.default is parameter.empty,
                keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
                default=parameter.default,
            )
            for parameter in inspect.signature(self._stub).parameters.values()
        ]
        return ArgumentsCodec(self._task, specs, omit=self._omit)

    @cached_property
    def results(self) -> ResultCodec[Any]:
        """How the result is checked and encoded. Raises `ConfigError` for a type that cannot be imported."""
        from stem.codec import ResultCodec

        return ResultCodec(self._task, self._resolve(self._stub.__annotations__.get("return", Any)))

    def _resolve(self, annotation: object) -> object:
        if annotation is inspect.Parameter.empty:
            return Any
        if not isinstance(annotation, str):
            return annotation
        names = {name: self._load(place) for name, place in self._types.items() if name in annotation}
        try:
            return eval(annotation, {"__builtins__": vars(builtins), **names})  # noqa: S307 - source code, not input
        except NameError as error:
            raise self._broken(f"`{annotation}`, in which {error}") from None

    def _load(self, place: str) -> object:
        module, _, qualname = place.partition(":")
        try:
            value: object = importlib.import_module(module)
            for part in qualname.split("."):
                value = getattr(value, part)
        except (ImportError, AttributeError) as error:
            raise self._broken(f"`{place}`: {error}") from error
        return value

    def _broken(self, found: str) -> ConfigError:
        return ConfigError(
            expected=f"every type of task '{self._task}' to be importable",
            found=found,
            do="Run stem-build, and make sure that the module with the models can be imported here.",
        )
