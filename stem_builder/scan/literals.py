"""Values that source fixes: literals, constants of a module, `timedelta(...)`; and their canonical text."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias, cast

from stem_builder.model import Symbol, TypeRef
from stem_builder.model.facts import Literal
from stem_builder.scan.exports import Assigned
from stem_builder.scan.reader import Module
from stem_builder.scan.resolve import Found, Outside, Resolver, dotted

__all__ = ["Constant", "literal_text", "read_constant", "read_literal"]

_TIMEDELTA: Final = Symbol("datetime", "timedelta", "datetime:timedelta")
_MAX_HOPS: Final = 16
_Number: TypeAlias = "int | float"


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known in source, with its canonical text."""

    value: Literal
    ref: TypeRef


def read_constant(
    node: ast.expr, module: Module, resolver: Resolver, *, lists: bool = False, hops: int = 0
) -> Constant | None:
    """The value of a literal, a module's constant, or `timedelta(...)` of such numbers; else `None`.

    With `lists` a list of literals reads as a tuple; elsewhere it is a mutable value and no literal.
    """
    found, value = read_literal(node, lists=lists)
    if found:
        return Constant(value, TypeRef((literal_text(value),)))
    if hops > _MAX_HOPS:
        return None
    if isinstance(node, ast.Call):
        return _read_duration(node, module, resolver, hops=hops)
    name = dotted(node)
    if not name:
        return None
    target = resolver.resolve(module, name)
    if isinstance(target, Found) and isinstance(target.binding, Assigned) and not target.rest:
        inner = target.binding.value
        return None if inner is None else read_constant(inner, target.module, resolver, lists=lists, hops=hops + 1)
    return None


def read_literal(node: ast.expr, *, lists: bool = False) -> tuple[bool, Literal]:
    """(whether this is a literal that can be printed again, its value)."""
    if isinstance(node, ast.Tuple) or (lists and isinstance(node, ast.List)):
        items = [read_literal(item, lists=lists) for item in node.elts]
        known = all(found for found, _ in items)
        return (known, tuple(value for _, value in items) if known else None)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        found, value = read_literal(node.operand)
        if not found or isinstance(value, bool) or not isinstance(value, (int, float)):
            return False, None
        return True, -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Constant) and _printable(node.value):
        return True, cast("Literal", node.value)
    return False, None


def literal_text(value: Literal) -> str:
    """The value as source text in the form that ruff gives it: double quotes where they need no escape."""
    if isinstance(value, str):
        return _quoted(repr(value), value)
    if isinstance(value, bytes):
        return "b" + _quoted(repr(value)[1:], value.decode("latin-1"))
    if isinstance(value, tuple):
        inner = ", ".join(literal_text(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def _printable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, bytes, int, bool))


def _quoted(shown: str, value: str) -> str:
    if shown.startswith('"') or '"' in value:
        return shown
    return '"' + shown[1:-1] + '"'


def _read_duration(node: ast.Call, module: Module, resolver: Resolver, *, hops: int) -> Constant | None:
    name = dotted(node.func)
    if not name or resolver.follow(module, name) != Outside("datetime", "timedelta"):
        return None
    args = [_number(arg, module, resolver, hops=hops) for arg in node.args]
    named = {keyword.arg or "": _number(keyword.value, module, resolver, hops=hops) for keyword in node.keywords}
    numbers = {key: number for key, number in named.items() if number is not None}
    plain = [number for number in args if number is not None]
    if len(plain) < len(args) or len(numbers) < len(node.keywords):
        return None
    try:
        value = timedelta(*plain, **numbers)
    except (TypeError, ValueError, OverflowError):
        return None
    shown = [repr(number) for number in plain] + [f"{key}={number!r}" for key, number in numbers.items()]
    return Constant(value, TypeRef((_TIMEDELTA, f"({', '.join(shown)})")))


def _number(node: ast.expr, module: Module, resolver: Resolver, *, hops: int) -> _Number | None:
    constant = read_constant(node, module, resolver, hops=hops + 1)
    value = constant.value if constant is not None else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
