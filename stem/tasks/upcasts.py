"""`@upcast`: a plain function that makes an older version's arguments into today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, Final, TypeAlias, TypeVar, overload

from typing_extensions import ParamSpec

from stem.errors import ConfigError
from stem.tasks.context import TaskContext
from stem.tasks.markers import mark_of

__all__ = ["upcast", "upcasts_of"]

_ATTRIBUTE: Final = "__stem_upcasts__"
_NONE: Final[Mapping[int, Callable[..., object]]] = MappingProxyType({})

Old = ParamSpec("Old")
Rest = ParamSpec("Rest")
New = TypeVar("New")
ByName: TypeAlias = Mapping[str, object]


@overload
def upcast(
    handler: Callable[Concatenate[TaskContext[Any], New, Rest], object], /, *, from_version: int
) -> Callable[[Callable[Old, New | ByName]], Callable[Old, New | ByName]]: ...
@overload
def upcast(
    handler: Callable[Concatenate[New, Rest], object], /, *, from_version: int
) -> Callable[[Callable[Old, New | ByName]], Callable[Old, New | ByName]]: ...
@overload
def upcast(
    handler: Callable[..., object], /, *, from_version: int
) -> Callable[[Callable[Old, ByName]], Callable[Old, ByName]]: ...
def upcast(handler: Callable[..., object], /, *, from_version: int) -> Callable[[Any], Any]:
    """Let workers run tasks that were enqueued as version `from_version` of `handler`.

    The function takes what the handler took then: one model, or the old parameters by their names. It gives what the
    handler takes now: the value of its first parameter, or all arguments by name in a mapping. It is called before
    each attempt of such a task, so it should do nothing but compute. The function itself is returned.

    Raises `ConfigError` for a handler without `@task`, for a version that is not an older one or has an upcast already,
    and for a function in another module than its handler: whether that one is imported must not decide what works.
    """
    _check(handler, from_version)

    def decorate(function: Callable[..., object]) -> Callable[..., object]:
        if function.__module__ != handler.__module__:
            raise _wrong(handler, f"module {function.__module__}", f"Move it to {handler.__module__}.")
        known = upcasts_of(handler)
        if from_version in known:
            other = known[from_version].__qualname__
            raise _wrong(handler, f"two for version {from_version}, the other is {other}", "Keep one of them.")
        setattr(handler, _ATTRIBUTE, MappingProxyType({**known, from_version: function}))
        return function

    return decorate


def upcasts_of(handler: object) -> Mapping[int, Callable[..., object]]:
    """The upcasts of a handler, by the version that they begin from."""
    known: Mapping[int, Callable[..., object]] = getattr(handler, _ATTRIBUTE, _NONE)
    return known


def _check(handler: Callable[..., object], from_version: int) -> None:
    mark = mark_of(handler)
    if mark is None:
        raise _wrong(handler, "a function without @task", "Put @task above the handler.")
    if not 1 <= from_version < mark.version:
        raise _wrong(
            handler,
            f"from_version={from_version!r}, where the handler has version {mark.version}",
            "Give the handler the higher version: @task(version=...).",
        )


def _wrong(handler: Callable[..., object], found: str, do: str) -> ConfigError:
    name = getattr(handler, "__qualname__", repr(handler))
    expected = f"each upcast of `{name}` to begin from one older version, beside the handler"
    return ConfigError(expected=expected, found=found, do=do)
