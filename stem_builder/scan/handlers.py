"""Finds the tasks of one parsed file: LibCST names the declarations, `ast` locates what stands in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from libcst import ParserSyntaxError

from stem_builder.model.facts import CallFact
from stem_builder.scan.declarations import Declaration, find_functions
from stem_builder.scan.modules import GENERATED
from stem_builder.scan.reader import Module
from stem_builder.scan.resolve import Outside, Resolver, dotted

__all__ = ["Function", "Handler", "find_handlers", "is_stem", "registry_imports", "unseen_calls"]

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
Decorator: TypeAlias = Literal["task", "upcast"]

_DECORATORS: Final[tuple[Decorator, ...]] = ("task", "upcast")


@dataclass(frozen=True, slots=True)
class Handler:
    """A function under `@task` or `@upcast`: its declaration, its located tree, and the decorator."""

    module: Module
    declaration: Declaration
    node: Function
    decorator: ast.expr
    under: Decorator


def find_handlers(module: Module, resolver: Resolver) -> tuple[Handler, ...]:
    """What a file declares, in source order; a file that LibCST cannot read has nothing and one problem."""
    try:
        declarations = find_functions(module.data)
    except (ParserSyntaxError, RecursionError, UnicodeDecodeError) as error:
        resolver.reader.refuse(module, error)
        return ()
    found: list[Handler] = []
    for declaration, node in zip(declarations, _functions(module.tree.body), strict=True):
        for name, decorator in zip(declaration.decorators, node.decorator_list, strict=True):
            if name and (under := _decorator(module, name, resolver)) is not None:
                found.append(Handler(module, declaration, node, decorator, under))
                break
    return tuple(found)


def _decorator(module: Module, name: str, resolver: Resolver) -> Decorator | None:
    for each in _DECORATORS:
        if is_stem(module, name, each, resolver):
            return each
    return None


def is_stem(module: Module, name: str, public: str, resolver: Resolver) -> bool:
    """Whether a dotted name means `public` of Stem in this module."""
    target = resolver.follow(module, name)
    if not isinstance(target, Outside) or target.module.partition(".")[0] != "stem":
        return False
    return target.name.rpartition(".")[2] == public


def unseen_calls(module: Module, resolver: Resolver) -> Iterator[CallFact]:
    """Uses of `task` that decorate nothing: `task(send)`, `task(queue="q")(send)`, `partial(task, queue="q")`."""
    nodes = list(ast.walk(module.tree))
    functions = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    decorators = {id(decorator) for node in (*functions, *classes) for decorator in node.decorator_list}
    for node in nodes:
        if isinstance(node, ast.Call) and id(node) not in decorators:
            names = [name for name in map(dotted, (node.func, *node.args)) if name]
            meant = [name for name in names if is_stem(module, name, "task", resolver)]
            if any(not _is_shadowed(name, node, functions) for name in meant):
                yield CallFact(module.text(node), module.place(node))


def _is_shadowed(name: str, call: ast.Call, functions: list[Function]) -> bool:
    """Whether a function around the call has a parameter or a variable of its own by this name."""
    root = name.partition(".")[0]
    around = [each for each in functions if each.lineno <= call.lineno <= (each.end_lineno or each.lineno)]
    return any(root in set(_own_names(each)) for each in around)


def _own_names(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def registry_imports(module: Module) -> Iterator[ast.stmt]:
    """The statements that import the generated registry, anywhere in the file."""
    for node in ast.walk(module.tree) if b"registry" in module.data else ():
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module or ''}.{alias.name}" for alias in node.names} | {node.module or ""}
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        else:
            continue
        if any(_is_registry(name) for name in names):
            yield node


def _is_registry(name: str) -> bool:
    parts = name.split(".")
    return any(pair == (GENERATED, "registry") for pair in pairwise(parts))


def _functions(body: list[ast.stmt]) -> Iterator[Function]:
    """Functions in the order in which LibCST's walk meets them: statements only, bodies before what follows them."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield statement
        yield from _functions(_inner(statement))


def _inner(statement: ast.stmt) -> list[ast.stmt]:
    if isinstance(statement, ast.Match):
        return [inner for case in statement.cases for inner in case.body]
    blocks: list[ast.stmt] = list(getattr(statement, "body", []))
    for handler in getattr(statement, "handlers", []):
        blocks.extend(handler.body)
    for field in ("orelse", "finalbody"):
        blocks.extend(getattr(statement, field, []))
    return blocks
