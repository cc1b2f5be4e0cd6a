"""What the top level of a module binds, read with `ast`: imports, classes, values, also below conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Assigned", "Binding", "Defined", "Exports", "Imported", "RuntimeImport", "read_exports"]


@dataclass(frozen=True, slots=True)
class Imported:
    """`from module import name`, or `import module` where `name` is `None`."""

    module: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Defined:
    """A class or a function."""

    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Assigned:
    """`NAME = value`, `NAME: annotation = value`, or `type NAME[variables] = value`."""

    value: ast.expr | None
    annotation: ast.expr | None
    variables: tuple[str, ...] = ()


Binding: TypeAlias = "Imported | Defined | Assigned"


@dataclass(frozen=True, slots=True)
class RuntimeImport:
    """A module that is imported when this one runs, with the name taken from it (which may be a submodule)."""

    module: str
    name: str | None
    node: ast.stmt


@dataclass(slots=True)
class Exports:
    """The names of a module, the modules it star-imports, its `__all__`, and what it imports when it runs."""

    names: dict[str, Binding] = field(default_factory=dict[str, Binding])
    stars: list[str] = field(default_factory=list[str])
    public: tuple[str, ...] | None = None
    plain_modules: set[str] = field(default_factory=set[str])
    runtime: list[RuntimeImport] = field(default_factory=list[RuntimeImport])

    def is_public(self, name: str) -> bool:
        """Whether a star import of this module brings the name."""
        return name in self.public if self.public is not None else not name.startswith("_")


@dataclass(frozen=True, slots=True)
class _Branch:
    """How a statement is reached: a fallback binds only what is not bound yet; type-only code never runs."""

    fallback: bool = False
    runs: bool = True


def read_exports(tree: ast.Module, *, package: str) -> Exports:
    """The table of a module; `package` is its `__package__`, which relative imports start from."""
    exports = Exports()
    _read_block(tree.body, exports, package, _Branch())
    return exports


def _read_block(body: Iterable[ast.stmt], exports: Exports, package: str, branch: _Branch) -> None:
    for statement in body:
        if isinstance(statement, ast.Import):
            _read_import(statement, exports, branch)
        elif isinstance(statement, ast.ImportFrom):
            _read_from(statement, exports, package, branch)
        elif isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            _bind(exports, statement.name, Defined(statement), branch)
        else:
            _read_other(statement, exports, package, branch)


def _read_other(statement: ast.stmt, exports: Exports, package: str, branch: _Branch) -> None:
    for block, inner in _blocks(statement, branch):
        _read_block(block, exports, package, inner)
    for name, value in _assignments(statement):
        _bind(exports, name, value, branch)
        if name == "__all__":
            _extend_public(exports, value.value)
    if isinstance(statement, ast.AugAssign) and _name(statement.target) == "__all__":
        _extend_public(exports, statement.value)


def _read_import(statement: ast.Import, exports: Exports, branch: _Branch) -> None:
    for alias in statement.names:
        top = alias.name.partition(".")[0]
        exports.plain_modules.add(alias.name)
        _bind(exports, alias.asname or top, Imported(alias.name if alias.asname else top, None), branch)
        if branch.runs:
            exports.runtime.append(RuntimeImport(alias.name, None, statement))


def _read_from(statement: ast.ImportFrom, exports: Exports, package: str, branch: _Branch) -> None:
    module = _absolute(statement, package)
    for alias in statement.names:
        if alias.name == "*":
            exports.stars.append(module)
        else:
            _bind(exports, alias.asname or alias.name, Imported(module, alias.name), branch)
        if branch.runs:
            exports.runtime.append(RuntimeImport(module, None if alias.name == "*" else alias.name, statement))


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".") if package else []
    if statement.level > len(parts):
        return "." * statement.level + (statement.module or "")  # no module has such a name
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base)


def _bind(exports: Exports, name: str, binding: Binding, branch: _Branch) -> None:
    if branch.fallback:
        exports.names.setdefault(name, binding)
    else:
        exports.names[name] = binding


def _blocks(statement: ast.stmt, branch: _Branch) -> Iterator[tuple[list[ast.stmt], _Branch]]:
    fallback = _Branch(fallback=True, runs=branch.runs)
    if isinstance(statement, ast.If):
        yield from _if_blocks(statement, branch)
    elif isinstance(statement, (ast.Try, ast.TryStar)):
        yield statement.body, branch
        yield from ((handler.body, fallback) for handler in statement.handlers)
        yield from ((block, fallback) for block in (statement.orelse, statement.finalbody))
    elif isinstance(statement, ast.With):
        yield statement.body, branch


def _if_blocks(statement: ast.If, branch: _Branch) -> Iterator[tuple[list[ast.stmt], _Branch]]:
    negated = isinstance(statement.test, ast.UnaryOp) and isinstance(statement.test.op, ast.Not)
    test = statement.test.operand if isinstance(statement.test, ast.UnaryOp) else statement.test
    typed = _name(test) == "TYPE_CHECKING"
    first = _Branch(branch.fallback, runs=branch.runs and not (typed and not negated))
    second = _Branch(fallback=True, runs=branch.runs and not (typed and negated))
    if typed and negated:  # what type checkers see counts, and that is the other branch
        yield statement.orelse, _Branch(branch.fallback, runs=second.runs)
        yield statement.body, _Branch(fallback=True, runs=branch.runs)
        return
    yield statement.body, first
    yield statement.orelse, second


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, Assigned]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, Assigned(statement.value, None)
    elif isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name):
            yield statement.target.id, Assigned(statement.value, statement.annotation)
    elif type(statement).__name__ == "TypeAlias":  # `type X = ...`, which Python 3.11 does not know
        fields = dict(ast.iter_fields(statement))
        variables = tuple(str(getattr(each, "name", "")) for each in fields["type_params"])
        yield _name(fields["name"]), Assigned(fields["value"], None, variables)


def _extend_public(exports: Exports, value: ast.expr | None) -> None:
    if isinstance(value, (ast.List, ast.Tuple)):
        names = (item.value for item in value.elts if isinstance(item, ast.Constant))
        exports.public = (exports.public or ()) + tuple(name for name in names if isinstance(name, str))


def _name(node: object) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
