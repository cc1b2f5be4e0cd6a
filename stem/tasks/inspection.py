"""What a function's own signature says: which parameters travel, and of which types."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from stem.errors import ConfigError
from stem.tasks.context import TaskContext

__all__ = ["hints_of", "stub_of", "takes_context"]


def stub_of(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """A signature to validate by: the function's, without its context, with its annotations evaluated.

    Raises `ConfigError` for parameters that cannot travel, and for annotations that cannot be evaluated here.
    """
    hints = hints_of(name, function)
    parameters = list(inspect.signature(function).parameters.values())
    if takes_context(function):
        del parameters[0]
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise _unfit(
                name, f"`{parameter}`", "Give every parameter a name: no *args, **kwargs or positional-only ones."
            )
    typed = [parameter.replace(annotation=hints.get(parameter.name, Any)) for parameter in parameters]

    def stub(*args: object, **kwargs: object) -> object:
        raise NotImplementedError

    stub.__name__, stub.__doc__ = function.__name__, function.__doc__
    stub.__annotations__ = {"return": hints.get("return", Any)}
    stub.__signature__ = inspect.Signature(typed)  # type: ignore[attr-defined]  # read by inspect.signature
    return stub


def hints_of(name: str, function: Callable[..., object]) -> dict[str, Any]:
    """The annotations of a function, evaluated. Raises `ConfigError` for one that cannot be."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise _unfit(
            name, f"an annotation in which {error}", "Import the type outside `if TYPE_CHECKING:`, or use stem-build."
        ) from None


def takes_context(function: Callable[..., object]) -> bool:
    """Whether the first parameter is a `TaskContext`."""
    first = next(iter(inspect.signature(function, eval_str=False).parameters.values()), None)
    if first is None or first.kind is first.KEYWORD_ONLY:
        return False
    hint = first.annotation
    if isinstance(hint, str):
        hint = hints_of(function.__name__, function).get(first.name)
    return (typing.get_origin(hint) or hint) is TaskContext


def _unfit(name: str, found: str, do: str) -> ConfigError:
    return ConfigError(expected=f"task '{name}' to have parameters that can travel", found=found, do=do)
