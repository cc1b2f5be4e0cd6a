"""What a worker can run: handlers by task name, each checked against its definition."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Concatenate, TypeVar, overload

from typing_extensions import ParamSpec

from stem.errors import ConfigError
from stem.tasks.context import TaskContext
from stem.tasks.definition import Binding, TaskDefinition
from stem.tasks.inspection import stub_of, takes_context
from stem.tasks.markers import TaskMark, mark_of

__all__ = ["Registry", "definition"]

P = ParamSpec("P")
R = TypeVar("R")
StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Registry:
    """Bindings by name. Made by stem-build, by `Registry.of(...)`, or by `Registry.merge(...)`; never by import
    order."""

    bindings: tuple[Binding, ...]
    contract: str = ""
    _by_name: Mapping[str, Binding] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names: dict[str, Binding] = {}
        for binding in self.bindings:
            for name in (binding.definition.name, *binding.options.aliases):
                holder = names.setdefault(name, binding)
                if holder is not binding:
                    raise _conflict(name, holder, binding)
        object.__setattr__(self, "_by_name", names)

    @classmethod
    def of(cls, *handlers: Callable[..., object]) -> Registry:
        """The registry of decorated functions, by inspection; for tests and one-file scripts.

        Raises `ConfigError` for a function without `@task`, and for two tasks of one name.
        """
        return cls(tuple(_bind(handler) for handler in handlers))

    @classmethod
    def merge(cls, *registries: Registry) -> Registry:
        """One registry of all; a name that two of them have with different handlers raises `ConfigError`."""
        bindings: dict[tuple[str, object], Binding] = {}
        for registry in registries:
            for binding in registry.bindings:
                bindings.setdefault((binding.name, binding.handler), binding)
        return cls(tuple(bindings.values()), _digest(registry.contract for registry in registries))

    def get(self, name: str) -> Binding | None:
        """The binding for a task name or one of its aliases."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tasks, sorted; without aliases."""
        return tuple(sorted(binding.definition.name for binding in self.bindings))

    @cached_property
    def fingerprint(self) -> str:
        """The same for registries that can run the same names, versions and contracts."""
        return _digest(
            f"{name}@{binding.definition.version}:{binding.definition.contract}:{binding.accepts}"
            for name, binding in sorted(self._by_name.items())
        )


@overload
def definition(handler: Callable[Concatenate[TaskContext[StateT], P], Awaitable[R]], /) -> TaskDefinition[P, R]: ...
@overload
def definition(handler: Callable[Concatenate[TaskContext[StateT], P], R], /) -> TaskDefinition[P, R]: ...
@overload
def definition(handler: Callable[P, Awaitable[R]], /) -> TaskDefinition[P, R]: ...
@overload
def definition(handler: Callable[P, R], /) -> TaskDefinition[P, R]: ...
def definition(handler: Callable[..., object], /) -> TaskDefinition[..., Any]:
    """The definition of a decorated function, without codegen; it imports the worker's code, of course.

    Names and types are those that stem-build would give. Raises `ConfigError` for a function without `@task` and for
    parameters that cannot travel.
    """
    return _definition(handler)


def _definition(handler: Callable[..., object]) -> TaskDefinition[..., Any]:
    mark = _require_mark(handler)
    name = mark.name or f"{_package(handler)}.{handler.__name__}"
    stub = stub_of(name, handler)
    return TaskDefinition(
        name, mark.version, "", stub, {}, mark.definition, f"{handler.__module__}:{handler.__qualname__}"
    )


def _bind(handler: Callable[..., object]) -> Binding:
    wants_context = takes_context(handler)
    return Binding(_definition(handler), handler, wants_context, inspect.iscoroutinefunction(handler))


def _require_mark(handler: Callable[..., object]) -> TaskMark:
    mark = mark_of(handler)
    if mark is None:
        raise ConfigError(
            expected="functions decorated with @task",
            found=f"`{getattr(handler, '__qualname__', handler)}`, which is not",
            do="Put @task above it.",
        )
    return mark


def _package(handler: Callable[..., object]) -> str:
    """Where a default name begins: the package, else the module; a file that is run counts under its own name."""
    module = sys.modules.get(handler.__module__)
    package = getattr(module, "__package__", None)
    if package:
        return str(package)
    if handler.__module__ == "__main__":
        return Path(getattr(module, "__file__", None) or "__main__").stem
    return handler.__module__


def _conflict(name: str, one: Binding, other: Binding) -> ConfigError:
    places = " and ".join(f"{b.handler.__module__}:{b.handler.__qualname__}" for b in (one, other))
    return ConfigError(
        expected=f"one handler for the name '{name}'",
        found=f"two: {places}",
        do="Rename one, or leave one registry out.",
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
