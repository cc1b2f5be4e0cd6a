"""What scanning saw, before any rule judged it: plain values, no syntax trees and no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from stem_builder.model.declarations import Default, Place, TypeRef

__all__ = [
    "CallFact",
    "Facts",
    "ImportFact",
    "Literal",
    "ModuleFact",
    "Nesting",
    "OptionFact",
    "ParameterFact",
    "Scalar",
    "Shape",
    "TaskFact",
    "UpcastFact",
]

Scalar: TypeAlias = "str | bytes | int | float | bool | timedelta | None"
Literal: TypeAlias = "Scalar | tuple[Literal, ...]"
"""A value that a decorator can fix in source: what `queue="billing"` or `expires=timedelta(hours=1)` stands for."""


class Nesting(Enum):
    """What a function stands in; only the top level of a module can be imported by a worker for sure."""

    MODULE = "the module"
    FUNCTION = "a function"
    CLASS = "a class"
    CONDITION = "a condition"
    LOOP = "a loop"


class Shape(Enum):
    """How a handler takes a parameter, also in ways that a task may not have."""

    POSITIONAL_ONLY = "positional_only"
    POSITIONAL_OR_KEYWORD = "positional_or_keyword"
    KEYWORD_ONLY = "keyword_only"
    VAR_POSITIONAL = "var_positional"
    VAR_KEYWORD = "var_keyword"


@dataclass(frozen=True, slots=True)
class OptionFact:
    """An argument of the decorator: `text` as written; `value` and `ref` only when `known` (a literal, a constant)."""

    name: str
    text: str
    known: bool
    value: Literal
    ref: TypeRef | None
    place: Place
    value_place: Place


@dataclass(frozen=True, slots=True)
class ParameterFact:
    """One parameter as written; `type` is `None` when it has no annotation or the annotation cannot be read.

    `is_context`: `TaskContext` stands in the annotation; `is_bare`: it is the whole of it.
    """

    name: str
    shape: Shape
    annotated: bool
    type: TypeRef | None
    is_context: bool
    is_bare: bool
    default: Default | None
    mutable_default: str
    place: Place
    type_place: Place


@dataclass(frozen=True, slots=True)
class TaskFact:
    """One function under `@task`, wherever it stands."""

    module: str
    package: str
    function: str
    nesting: Nesting
    owner: str
    is_async: bool
    doc: str
    options: tuple[OptionFact, ...]
    parameters: tuple[ParameterFact, ...]
    returns: bool
    result: TypeRef | None
    result_place: Place
    place: Place

    def option(self, name: str) -> OptionFact | None:
        """The option of this name, or `None` where the decorator does not give it."""
        return next((option for option in self.options if option.name == name), None)

    @property
    def name(self) -> str:
        """The task's name: as given, else `<package>.<function>`."""
        given = self.option("name")
        if given is not None and isinstance(given.value, str):
            return given.value
        return f"{self.package}.{self.function}"

    @property
    def attr(self) -> str:
        """The definition's name: as given, else the function's."""
        given = self.option("attr")
        return given.value if given is not None and isinstance(given.value, str) else self.function


@dataclass(frozen=True, slots=True)
class UpcastFact:
    """One function under `@upcast`: for which handler, from which version, and what it takes and gives."""

    module: str
    function: str
    handler: str
    """As written."""
    target: tuple[str, str] | None
    """Module and name of the handler; `None` where what is written leads to no function of the source."""
    from_version: OptionFact | None
    parameters: tuple[ParameterFact, ...]
    returns: bool
    by_name: bool
    """Whether it gives a mapping: all arguments by name."""
    result: TypeRef | None
    """What it gives otherwise; `None` when that cannot be read."""
    result_text: str
    lineage: frozenset[str]
    """The homes of the class that it gives and of all its bases."""
    is_open: bool
    """Whether a base is not known from source, and may be anything."""
    place: Place
    result_place: Place
    handler_place: Place


@dataclass(frozen=True, slots=True)
class CallFact:
    """A use of `task` that is no decorator: what it registers cannot be seen in the source."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class ImportFact:
    """An import that runs when a module is imported, followed until it leaves the tree or reaches a handler module."""

    chain: tuple[str, ...]
    reaches_handler: bool
    place: Place


@dataclass(frozen=True, slots=True)
class ModuleFact:
    """A module that declares tasks: what importing it loads, and what it must not import."""

    name: str
    loads: tuple[str, ...]
    registry_imports: tuple[Place, ...]
    calls: tuple[CallFact, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that scanning one package saw."""

    package: str
    tasks: tuple[TaskFact, ...]
    modules: tuple[ModuleFact, ...]
    package_imports: tuple[ImportFact, ...]
    upcasts: tuple[UpcastFact, ...] = ()

    @property
    def handler_modules(self) -> frozenset[str]:
        """Every module that declares a task."""
        return frozenset(task.module for task in self.tasks)

    def module(self, name: str) -> ModuleFact | None:
        """The facts of a module, or `None` where it declares nothing."""
        return next((module for module in self.modules if module.name == name), None)
