"""Annotations to canonical types: every name resolved, every problem reported, quoted text included."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Symbol, TypeRef
from stem_builder.scan.canonical import ANY, Parts, canonical, joined, outside_symbol, union
from stem_builder.scan.exports import Assigned
from stem_builder.scan.literals import read_constant
from stem_builder.scan.metadata import read_literals, read_metadata
from stem_builder.scan.resolve import Found, Outside, Resolver, Target, Unresolved, dotted
from stem_builder.scan.sendable import GENERIC_ARITY, Kind
from stem_builder.scan.symbols import Scope, SymbolReader, Unreadable, shown

__all__ = ["TypeReader"]

_VARIABLES: Final = frozenset({"typing.TypeVar", "typing.ParamSpec", "typing.TypeVarTuple"})
_NAMED_TYPES: Final = frozenset({"typing.NewType", "typing.TypeAliasType"})
_CLASS_MAKERS: Final = frozenset({"typing.NamedTuple", "typing.TypedDict", "collections.namedtuple"})


class TypeReader:
    """Reads the annotations and defaults of one package's handlers."""

    def __init__(self, resolver: Resolver, handler_modules: frozenset[str]) -> None:
        self._resolver = resolver
        self._symbols = SymbolReader(resolver, handler_modules)

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Everything wrong with what was read so far."""
        return tuple(self._symbols.problems)

    def read(self, node: ast.expr, scope: Scope) -> TypeRef | None:
        """The canonical type, or `None` when the annotation cannot be read; problems say why."""
        try:
            return TypeRef(_merged(self._parts(node, scope)))
        except Unreadable:
            return None
        except RecursionError:
            message, help_ = "annotation is nested too deeply", "name its parts by aliases"
            self._symbols.report("STL102", scope.place(node), message, help_=help_)
            return None

    def default(self, node: ast.expr, scope: Scope) -> TypeRef | None:
        """The canonical text of a default that source fixes: a literal, a constant, an enum's member; else `None`."""
        if isinstance(node, ast.Call):
            return None
        constant = read_constant(node, scope.module, self._resolver)
        if constant is not None:
            return None if constant.ref.symbols else constant.ref
        member = self._symbols.member(node, scope)
        return TypeRef(member) if member is not None else None

    def _parts(self, node: ast.expr, scope: Scope) -> Parts:
        members = self._members(node, scope)
        return members[0] if len(members) == 1 else union(members)

    def _members(self, node: ast.expr, scope: Scope) -> list[Parts]:
        """The members of the union that an annotation is; a single one for every other type."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._members(node.left, scope) + self._members(node.right, scope)
        if isinstance(node, ast.Constant):
            return self._constant(node, scope)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope)
        return self._named(node, node, scope, arguments=())

    def _constant(self, node: ast.Constant, scope: Scope) -> list[Parts]:
        if node.value is None:
            return [("None",)]
        if not isinstance(node.value, str):
            raise self._symbols.not_a_type(shown(node), node, scope)
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            message = f"quoted annotation `{node.value}` cannot be read"
            raise self._symbols.fail("STL102", scope.place(node), message, help_="correct it") from None
        return self._members(inner, scope.quoted(node))

    def _subscript(self, node: ast.Subscript, scope: Scope) -> list[Parts]:
        arguments = tuple(node.slice.elts) if isinstance(node.slice, ast.Tuple) and node.slice.elts else (node.slice,)
        form = _form(self._resolver.follow(scope.module, dotted(node.value))) if dotted(node.value) else ""
        if form == "Optional":
            return [*self._members(arguments[0], scope), ("None",)]
        if form == "Union":
            return [part for argument in arguments for part in self._members(argument, scope)]
        if form == "Annotated":
            return self._annotated(arguments, scope)
        if form == "Literal":
            literals = read_literals(arguments, scope, self._symbols)
            return [(outside_symbol(Outside("typing", "Literal")), "[", *literals, "]")]
        return self._named(node.value, node, scope, arguments=arguments)

    def _named(self, base: ast.expr, node: ast.expr, scope: Scope, *, arguments: Sequence[ast.expr]) -> list[Parts]:
        name = dotted(base)
        if not name:
            raise self._symbols.not_a_type(shown(node), node, scope)
        if name in scope.variables:
            return [self._variable(name, node, scope)]
        target = self._resolver.resolve(scope.module, name)
        if isinstance(target, Unresolved):
            message = f"cannot resolve `{name}`"
            raise self._symbols.fail("STL102", scope.place(base), message, note=target.reason, help_=target.help)
        if isinstance(target, Found) and isinstance(target.binding, Assigned):
            return self._assigned(target, node, scope, arguments=arguments)
        symbol, kind = self._symbols.type(name, target, base, scope)
        return [self._applied(symbol, kind, node, scope, arguments=arguments)]

    def _applied(
        self, symbol: Symbol, kind: Kind, node: ast.expr, scope: Scope, *, arguments: Sequence[ast.expr]
    ) -> Parts:
        full = f"{symbol.import_module}.{symbol.name}"
        if not arguments:
            return self._bare(symbol, node, scope, arity=GENERIC_ARITY.get(full, 0))
        if full == "builtins.tuple" and isinstance(arguments[0], ast.Tuple):
            return (symbol, "[()]")
        read = [self._argument(argument, scope) for argument in arguments]
        if kind is Kind.CONTAINER and GENERIC_ARITY.get(full) == 2:
            self._symbols.check_key(read[0], arguments[0], scope)
        return (symbol, "[", *joined(read, ", "), "]")

    def _bare(self, symbol: Symbol, node: ast.expr, scope: Scope, *, arity: int) -> Parts:
        """A container without arguments means any contents, which the output says openly."""
        if not arity:
            return (symbol,)
        self._symbols.open(symbol, node, scope)
        end = ", ...]" if symbol.name == "tuple" else "]"
        return (symbol, "[", *joined([(ANY,)] * arity, ", "), end)

    def _argument(self, node: ast.expr, scope: Scope) -> Parts:
        if isinstance(node, ast.Constant) and node.value is ...:
            return ("...",)
        if isinstance(node, ast.List):  # the parameters of a Callable, which is refused already
            return ("[", *joined([self._argument(each, scope) for each in node.elts], ", "), "]")
        return self._parts(node, scope)

    def _assigned(self, found: Found, node: ast.expr, scope: Scope, *, arguments: Sequence[ast.expr]) -> list[Parts]:
        """An alias keeps its name, except where it only renames, or where its module must not be imported."""
        value, inner = _value(found), scope.alias(found, node)
        if value is None or found.rest:
            raise self._symbols.not_a_type(shown(node), node, scope)
        if isinstance(value, ast.Call):
            return [self._made_by_call(found, value, node, scope)]
        if inner.seen != scope.seen:
            members = self._members(value, inner)
            if not arguments and (dotted(value) or found.module.name in self._symbols.handlers):
                return members
        symbol = self._symbols.of(found, Kind.UNKNOWN)
        return [self._applied(symbol, Kind.UNKNOWN, node, scope, arguments=arguments)]

    def _made_by_call(self, found: Found, call: ast.Call, node: ast.expr, scope: Scope) -> Parts:
        maker = self._maker(found, call)
        inner = scope.alias(found, node)
        if maker in _VARIABLES:
            return self._variable(found.qualname, node, scope)
        if maker in _NAMED_TYPES and len(call.args) > 1:
            if inner.seen != scope.seen:
                self._members(call.args[1], inner)
        elif not (maker.startswith("enum.") or maker in _CLASS_MAKERS):
            note, help_ = f"it is made by the call `{shown(call.func)}(...)`", "declare it as a class"
            message = f"cannot resolve `{found.qualname}`"
            raise self._symbols.fail("STL102", scope.place(node), message, note=note, help_=help_)
        return (self._symbols.of(found, Kind.ENUM if maker.startswith("enum.") else Kind.UNKNOWN),)

    def _maker(self, found: Found, call: ast.Call) -> str:
        target = self._resolver.follow(found.module, dotted(call.func)) if dotted(call.func) else Unresolved("")
        if not isinstance(target, Outside):
            return ""
        target = canonical(target)
        return f"{target.module}.{target.name}"

    def _variable(self, name: str, node: ast.expr, scope: Scope) -> Parts:
        if scope.in_alias:
            return (name,)
        message, note = f"type variable `{name}` is unbound", "nothing binds it in a definition"
        raise self._symbols.fail("STL104", scope.place(node), message, note=note, help_="name a concrete type")

    def _annotated(self, arguments: Sequence[ast.expr], scope: Scope) -> list[Parts]:
        base = self._members(arguments[0], scope)
        read = [read_metadata(each, scope, self._symbols) for each in arguments[1:]]
        metadata = [parts for parts in read if parts is not None]
        if not metadata:
            return base
        whole = base[0] if len(base) == 1 else union(base)
        return [(outside_symbol(Outside("typing", "Annotated")), "[", *joined([whole, *metadata], ", "), "]")]


def _form(target: Target) -> str:
    return target.name if isinstance(target, Outside) and target.module in ("typing", "typing_extensions") else ""


def _value(found: Found) -> ast.expr | None:
    return found.binding.value if isinstance(found.binding, Assigned) else None


def _merged(parts: Parts) -> Parts:
    """The same parts with neighbouring text joined, so that equal types are equal values."""
    merged: list[str | Symbol] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        else:
            merged.append(part)
    return tuple(merged)
