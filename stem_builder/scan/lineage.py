"""What a class is derived from, as far as source shows it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stem_builder.scan.canonical import canonical
from stem_builder.scan.exports import Defined
from stem_builder.scan.reader import Module
from stem_builder.scan.resolve import Found, Outside, Resolver, dotted
from stem_builder.scan.sendable import is_stdlib

__all__ = ["Lineage", "lineage_of"]

_MAPPINGS: Final = frozenset(
    {"builtins:dict", "collections.abc:Mapping", "collections.abc:MutableMapping", "typing:TypedDict"}
)
_UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Lineage:
    """The homes ("module:qualname") of a class and of all its bases."""

    homes: frozenset[str]
    is_open: bool
    """Whether a base cannot be followed, and may be anything."""

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping, or a `TypedDict`."""
        return bool(self.homes & _MAPPINGS)


def lineage_of(annotation: ast.expr | None, module: Module, resolver: Resolver) -> Lineage:
    """The lineage of the class that an annotation names; nothing is known of one that names none."""
    homes = frozenset(() if annotation is None else _homes(annotation, module, resolver, frozenset()))
    return Lineage(homes - {_UNKNOWN}, _UNKNOWN in homes)


def _homes(node: ast.expr, module: Module, resolver: Resolver, seen: frozenset[str]) -> Iterator[str]:
    inner = _unquoted(node)
    name = dotted(inner.value if isinstance(inner, ast.Subscript) else inner)
    target = resolver.follow(module, name) if name else None
    if isinstance(target, Outside):
        yield from _outside(canonical(target))
    elif isinstance(target, Found) and isinstance(target.binding, Defined):
        home = f"{target.module.name}:{target.qualname}"
        yield home
        bases = target.binding.node.bases if isinstance(target.binding.node, ast.ClassDef) else []
        for base in bases if home not in seen else ():
            yield from _homes(base, target.module, resolver, seen | {home})
    else:
        yield _UNKNOWN


def _outside(target: Outside) -> Iterator[str]:
    """A class from outside the tree; only those of Python and of pydantic are known to derive from nothing in it."""
    yield f"{target.module}:{target.name}"
    known = getattr(builtins, target.name, None) if target.module == "builtins" else None
    if isinstance(known, type):
        yield from (f"builtins:{each.__name__}" for each in known.__mro__)
    elif not is_stdlib(target.module) and target.module.partition(".")[0] != "pydantic":
        yield _UNKNOWN


def _unquoted(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return node
    return node
