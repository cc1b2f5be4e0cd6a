"""Reads what the project's modules import, from their source, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Source:
    """One module of the project: its dotted name, its file and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


def sources(package: str) -> Mapping[str, Source]:
    """Every module of this top-level package, by dotted name."""
    found = (_source(path) for path in sorted((ROOT / package).rglob("*.py")))
    return {source.name: source for source in found}


def _source(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Source(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


def imports(source: Source) -> frozenset[str]:
    """The dotted names that this module imports anywhere: at the top, inside functions, for type checkers only.

    `from a import b` counts as `a.b`; `known` decides later whether that is a module or a name in `a`.
    """
    return frozenset(name for node in ast.walk(source.tree) for name in _names(node, source))


def _names(node: ast.AST, source: Source) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _base(node, source)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _base(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    package = source.name.split(".") if source.is_package else source.name.split(".")[:-1]
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def graph(modules: Mapping[str, Source]) -> dict[str, frozenset[str]]:
    """Which of these modules each of them imports (a name inside a module counts as that module)."""
    edges = {name: frozenset(_known(found, modules) for found in imports(source)) for name, source in modules.items()}
    return {name: frozenset(target for target in targets if target) for name, targets in edges.items()}


def _known(name: str, modules: Mapping[str, Source]) -> str:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def cycles(edges: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """The import cycles, each as the modules on it; empty when there is an order in which all can load."""
    remaining = {name: set(targets) - {name} for name, targets in edges.items()}
    while leaves := {name for name, targets in remaining.items() if not targets & remaining.keys()}:
        remaining = {name: targets - leaves for name, targets in remaining.items() if name not in leaves}
    return [_walk(remaining)] if remaining else []


def _walk(edges: Mapping[str, set[str]]) -> list[str]:
    """One cycle of a graph in which every node leads on."""
    path = [min(edges)]
    while (following := min(edges[path[-1]] & edges.keys())) not in path:
        path.append(following)
    return path[path.index(following) :]
