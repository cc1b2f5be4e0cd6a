"""Names of annotations to symbols that a producer can import; what each one is; what cannot be sent."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Final

from stem_builder.check import diagnose
from stem_builder.check.verdict import warn
from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Place, Symbol
from stem_builder.scan.canonical import ANY, Parts, canonical, outside_symbol
from stem_builder.scan.exports import Assigned, Defined
from stem_builder.scan.reader import Module
from stem_builder.scan.resolve import Found, Outside, Resolver, Unresolved, dotted
from stem_builder.scan.sendable import Kind, classify, outside_kind

__all__ = ["Scope", "SymbolReader", "Unreadable", "shown"]

_OBJECT: Final = Symbol("builtins", "object", "builtins:object")
_NO_KEYS: Final = frozenset(f"builtins:{name}" for name in ("float", "bool", "bytes", "complex"))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an annotation is read: its module, the place to report at inside an alias or a quotation, what is open."""

    module: Module
    anchor: Place | None = None
    in_alias: bool = False
    variables: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()

    def place(self, node: ast.expr) -> Place:
        """Where a problem with this node is shown."""
        return self.anchor or self.module.place(node)

    def quoted(self, node: ast.expr) -> Scope:
        """Where quoted text is read: as here, reported at the quotation."""
        return replace(self, anchor=self.place(node))

    def alias(self, found: Found, node: ast.expr) -> Scope:
        """Where the value of an alias is read: in its own module, reported where the alias is used."""
        home = f"{found.module.name}:{found.qualname}"
        variables = frozenset(found.binding.variables) if isinstance(found.binding, Assigned) else frozenset[str]()
        return Scope(found.module, self.place(node), in_alias=True, variables=variables, seen=self.seen | {home})


class Unreadable(Exception):
    """The annotation has no canonical form."""


class SymbolReader:
    """Makes the symbols of one package; what is wrong with the names is collected in `problems`."""

    def __init__(self, resolver: Resolver, handler_modules: frozenset[str]) -> None:
        self.problems: list[Diagnostic] = []
        self.resolver = resolver
        self.handlers = handler_modules
        self._kinds: dict[Symbol, Kind] = {}

    def of(self, found: Found, kind: Kind | None = None) -> Symbol:
        """The symbol of a definition in the tree: the public path, or its home where the path leads over handlers."""
        module, name = found.public
        if module in self.handlers and found.module.name not in self.handlers:
            module, name = found.module.name, found.qualname
        symbol = Symbol(module, name, f"{found.module.name}:{found.qualname}")
        if kind is not None:
            self._kinds[symbol] = kind
        return symbol

    def type(self, name: str, target: Found | Outside, node: ast.expr, scope: Scope) -> tuple[Symbol, Kind]:
        """The symbol of a class and its kind; reports one that cannot be sent."""
        if isinstance(target, Found):
            return self._inside(name, target, node, scope)
        target = canonical(target)
        symbol, kind = outside_symbol(target), outside_kind(target)
        if symbol in (ANY, _OBJECT):
            self.open(symbol, node, scope)
            kind = Kind.SCALAR
        if kind is Kind.REFUSED:
            note, help_ = "it has no JSON form", "pass an id or plain data, and open it inside the task"
            self._refuse(symbol, scope.place(node), note=note, help_=help_)
        self._kinds[symbol] = kind
        return symbol, kind

    def member(self, node: ast.expr, scope: Scope) -> Parts | None:
        """`Color.RED` where this is the member of an enum of the tree."""
        name = dotted(node)
        target = self.resolver.follow(scope.module, name) if name else Unresolved("")
        if isinstance(target, Found) and len(target.rest) == 1 and classify(target, self.resolver) is Kind.ENUM:
            return (self.of(target), f".{target.rest[0]}")
        return None

    def check_key(self, key: Parts, node: ast.expr, scope: Scope) -> None:
        """Reports a map whose keys JSON cannot have."""
        refused = [part.name for part in key if isinstance(part, Symbol) and self._is_no_key(part)]
        if refused:
            message = f"a map with keys of type `{refused[0]}` cannot be sent"
            help_ = "use `str` or `int` keys, or a list"
            self.report("STL103", scope.place(node), message, note="JSON has text keys", help_=help_)

    def open(self, symbol: Symbol, node: ast.expr, scope: Scope) -> None:
        """Warns of a type that accepts everything."""
        message = f"`{shown(node)}` gives producers no checking"
        note = f"`{symbol.name}` accepts everything" if symbol in (ANY, _OBJECT) else "its contents are `Any`"
        help_ = "declare a model, or name what is inside"
        self.problems.append(warn(diagnose("STL104", scope.place(node), message, note=note, help=help_)))

    def report(self, code: str, place: Place, message: str, *, note: str = "", help_: str = "") -> None:
        """Notes a problem and goes on."""
        self.problems.append(diagnose(code, place, message, note=note, help=help_))

    def fail(self, code: str, place: Place, message: str, *, note: str = "", help_: str = "") -> Unreadable:
        """Notes a problem that leaves no canonical form; the caller raises what this returns."""
        self.report(code, place, message, note=note, help_=help_)
        return Unreadable()

    def _inside(self, name: str, found: Found, node: ast.expr, scope: Scope) -> tuple[Symbol, Kind]:
        binding = found.binding
        if found.rest or not (isinstance(binding, Defined) and isinstance(binding.node, ast.ClassDef)):
            raise self.not_a_type(name, node, scope)
        kind = classify(found, self.resolver)
        symbol = self.of(found, kind)
        if kind is Kind.REFUSED:
            note = "a plain class, which pydantic cannot read or write"
            help_ = f"make `{symbol.name}` a pydantic model, a dataclass or a TypedDict"
            self._refuse(symbol, scope.place(node), note=note, help_=help_)
        return symbol, kind

    def not_a_type(self, text: str, node: ast.expr, scope: Scope) -> Unreadable:
        """The problem of a value, a function or an expression where a type is expected."""
        help_ = "write a class, an alias or `None`"
        return self.fail("STL102", scope.place(node), f"`{text}` is not a type", note="not a type", help_=help_)

    def _refuse(self, symbol: Symbol, place: Place, *, note: str, help_: str) -> None:
        full = symbol.name if symbol.import_module == "builtins" else f"{symbol.import_module}.{symbol.name}"
        self.report("STL103", place, f"`{full}` cannot be sent through a queue", note=note, help_=help_)

    def _is_no_key(self, symbol: Symbol) -> bool:
        kind = self._kinds.get(symbol, Kind.UNKNOWN)
        return kind in (Kind.MODEL, Kind.CONTAINER) or symbol.home in _NO_KEYS


def shown(node: ast.expr) -> str:
    """The source of an expression on one line."""
    return " ".join(ast.unparse(node).split())
