"""Decorated functions of one file, wherever they stand: a shallow walk over LibCST, without metadata providers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from stem_builder.model.facts import Nesting

__all__ = ["Declaration", "find_functions"]

_BLOCKS = (cst.For, cst.While, cst.If, cst.Try, cst.TryStar, cst.With, cst.Match)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One function: what it stands in, the dotted names of its decorators ("" for other expressions), its docstring.

    Functions come in source order, so that another tree of the same file can be matched by position.
    """

    name: str
    nesting: Nesting
    owner: str
    is_async: bool
    doc: str
    decorators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Inside:
    nesting: Nesting = Nesting.MODULE
    owner: str = ""

    def block(self, kind: Nesting) -> _Inside:
        """A loop or a condition; inside a function or a class these matter no more."""
        return self if self.nesting in (Nesting.FUNCTION, Nesting.CLASS) else _Inside(kind, self.owner)


def find_functions(source: bytes) -> tuple[Declaration, ...]:
    """Every function of a file in source order, without the code in it; raises `ParserSyntaxError` for no Python."""
    return tuple(_walk(cst.parse_module(source).body, _Inside()))


def _walk(body: Sequence[cst.CSTNode], inside: _Inside) -> Iterator[Declaration]:
    for statement in body:
        if isinstance(statement, cst.FunctionDef):
            yield _declaration(statement, inside)
            yield from _suite(statement.body, _Inside(Nesting.FUNCTION, statement.name.value))
        elif isinstance(statement, cst.ClassDef):
            nesting = inside.nesting if inside.nesting is Nesting.FUNCTION else Nesting.CLASS
            yield from _suite(statement.body, _Inside(nesting, statement.name.value))
        elif isinstance(statement, _BLOCKS):
            yield from _block(statement, inside)


def _block(statement: cst.CSTNode, inside: _Inside) -> Iterator[Declaration]:
    if isinstance(statement, (cst.For, cst.While)):
        inside = inside.block(Nesting.LOOP)
    elif not isinstance(statement, cst.With):
        inside = inside.block(Nesting.CONDITION)
    for suite in _suites(statement):
        yield from _suite(suite, inside)


def _suites(statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(statement, cst.Match):
        yield from (case.body for case in statement.cases)
        return
    if isinstance(statement, (cst.For, cst.While, cst.If, cst.Try, cst.TryStar, cst.With)):
        yield statement.body
    if isinstance(statement, (cst.Try, cst.TryStar)):
        yield from (handler.body for handler in statement.handlers)
    yield from _tails(statement)


def _tails(statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(statement, (cst.For, cst.While, cst.If, cst.Try, cst.TryStar)):
        orelse = statement.orelse
        if isinstance(orelse, cst.If):
            yield from _suites(orelse)
        elif orelse is not None:
            yield orelse.body
    if isinstance(statement, (cst.Try, cst.TryStar)) and statement.finalbody is not None:
        yield statement.finalbody.body


def _suite(suite: cst.CSTNode, inside: _Inside) -> Iterator[Declaration]:
    if isinstance(suite, cst.IndentedBlock):
        yield from _walk(suite.body, inside)


def _declaration(node: cst.FunctionDef, inside: _Inside) -> Declaration:
    return Declaration(
        name=node.name.value,
        nesting=inside.nesting,
        owner=inside.owner,
        is_async=node.asynchronous is not None,
        doc=node.get_docstring(clean=True) or "" if node.decorators else "",
        decorators=tuple(_dotted(decorator.decorator) for decorator in node.decorators),
    )


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Call):
        return _dotted(node.func)
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr.value}"
    return ""
