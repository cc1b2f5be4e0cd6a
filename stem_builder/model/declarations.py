"""Frozen values between scan and render: nothing from LibCST above this file, nothing from Jinja2 below it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ParameterKind(Enum):
    """How a parameter may be passed; positional-only and variadic parameters are refused before this model."""

    POSITIONAL_OR_KEYWORD = "positional_or_keyword"
    KEYWORD_ONLY = "keyword_only"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in the user's source: a posix path relative to the project, 1-based line and column."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A name that an annotation uses: `import_module` and `name` are what a producer imports, `home` is its definition.

    `name` is a dotted qualname for nested classes ("Order.Status"). Built-ins have `import_module == "builtins"`.
    `home` is "module:qualname" of the definition, or equal to the import place for names outside the source roots.
    """

    import_module: str
    name: str
    home: str


@dataclass(frozen=True, slots=True)
class TypeRef:
    """An annotation in canonical form: literal text and symbols in order; joining them gives the annotation."""

    parts: tuple[str | Symbol, ...]

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols in order of appearance, once each."""
        return tuple(dict.fromkeys(part for part in self.parts if isinstance(part, Symbol)))


@dataclass(frozen=True, slots=True)
class Default:
    """A parameter's default: its canonical parts when it is a literal or an enum member, `None` when it is computed."""

    literal: TypeRef | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a handler, without its context."""

    name: str
    kind: ParameterKind
    type: TypeRef
    default: Default | None
    place: Place


@dataclass(frozen=True, slots=True)
class Option:
    """A definition option as written on the decorator, in canonical source text (`queue` -> `'billing'`)."""

    name: str
    value: TypeRef


@dataclass(frozen=True, slots=True)
class Task:
    """One `@task` function."""

    name: str
    attr: str
    module: str
    qualname: str
    is_async: bool
    has_context: bool
    parameters: tuple[Parameter, ...]
    result: TypeRef
    doc: str
    version: int
    queue: str
    options: tuple[Option, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Package:
    """Everything that one configured package declares, in a stable order (by task name)."""

    name: str
    directory: str
    tasks: tuple[Task, ...]
