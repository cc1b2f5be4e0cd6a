"""The inside of `Literal[...]` and the metadata of `Annotated[...]`: what can be written again in the output."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from stem_builder.scan.canonical import Parts, canonical, joined, outside_symbol
from stem_builder.scan.literals import literal_text, read_constant, read_literal
from stem_builder.scan.resolve import Found, Outside, Unresolved, dotted
from stem_builder.scan.symbols import Scope, SymbolReader, shown

__all__ = ["read_literals", "read_metadata"]


def read_literals(arguments: Sequence[ast.expr], scope: Scope, symbols: SymbolReader) -> Parts:
    """The members of a `Literal`: literals and members of enums; raises `Unreadable` for anything else."""
    items: list[Parts] = []
    for node in arguments:
        found, value = read_literal(node)
        plain = found and not isinstance(value, (tuple, float))
        member: Parts | None = (literal_text(value),) if plain else symbols.member(node, scope)
        if member is None:
            message, help_ = f"`{shown(node)}` is not a literal", "write literals or members of an enum"
            raise symbols.fail("STL102", scope.place(node), message, note="not a literal", help_=help_)
        items.append(member)
    return joined(items, ", ")


def read_metadata(node: ast.expr, scope: Scope, symbols: SymbolReader) -> Parts | None:
    """Metadata that is a literal, a name, or a call of these; `None` for what cannot be written again."""
    if constant := read_constant(node, scope.module, symbols.resolver):
        return constant.ref.parts
    if isinstance(node, ast.Call):
        return _call(node, scope, symbols)
    name = dotted(node)
    target = symbols.resolver.resolve(scope.module, name) if name else Unresolved("")
    if isinstance(target, Found):
        symbol = symbols.of(target)
        hidden = symbol.import_module in symbols.handlers
        return None if hidden else (symbol, *(f".{rest}" for rest in target.rest))
    return (outside_symbol(canonical(target)),) if isinstance(target, Outside) else None


def _call(node: ast.Call, scope: Scope, symbols: SymbolReader) -> Parts | None:
    function = read_metadata(node.func, scope, symbols) if dotted(node.func) else None
    arguments: list[Parts | None] = [read_metadata(each, scope, symbols) for each in node.args]
    for keyword in node.keywords:
        value = read_metadata(keyword.value, scope, symbols)
        arguments.append((f"{keyword.arg}=", *value) if keyword.arg and value is not None else None)
    known = [parts for parts in arguments if parts is not None]
    if function is None or len(known) < len(arguments):
        return None
    return (*function, "(", *joined(known, ", "), ")")
