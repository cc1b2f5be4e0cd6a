"""What importing a module loads, followed through the tree until it leaves it or reaches a handler module."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from stem_builder.model.facts import ImportFact
from stem_builder.scan.exports import RuntimeImport
from stem_builder.scan.modules import is_generated
from stem_builder.scan.reader import Module, ModuleReader
from stem_builder.scan.sendable import is_stdlib

__all__ = ["loads", "package_imports"]


@dataclass(frozen=True, slots=True)
class _Step:
    module: str
    chain: tuple[str, ...]
    cause: ast.stmt


def loads(module: Module, reader: ModuleReader) -> tuple[str, ...]:
    """What importing this module itself loads: other packages first, then modules of the tree, each once."""
    names = [name for each in module.exports.runtime for name in _imported(each, reader)]
    outside = sorted({name.partition(".")[0] for name in names if _is_foreign(name, reader)})
    inside = sorted({name for name in names if _is_leaf(name, reader) and name != module.name})
    return (*outside, *inside)


def package_imports(package: str, reader: ModuleReader, handlers: frozenset[str]) -> Iterator[ImportFact]:
    """What the `__init__` of the package, and of those around it, loads beyond Python, Stem and plain modules.

    One fact for each import statement, with the shortest chain.
    """
    parts = package.split(".")
    for length in range(1, len(parts) + 1):
        module = reader.load(".".join(parts[:length]))
        if module is not None:
            yield from _costs(module, reader, handlers)


def _costs(module: Module, reader: ModuleReader, handlers: frozenset[str]) -> Iterator[ImportFact]:
    first = [
        _Step(name, (module.name, name), each.node)
        for each in module.exports.runtime
        for name in _imported(each, reader)
    ]
    blamed: set[int] = set()
    for step in _walk(first, module.name, reader, handlers):
        if id(step.cause) not in blamed:
            blamed.add(id(step.cause))
            yield ImportFact(step.chain, step.module in handlers, module.place(step.cause))


def _walk(first: list[_Step], start: str, reader: ModuleReader, handlers: frozenset[str]) -> Iterator[_Step]:
    """The steps that cost something, the shortest chains first."""
    queue, seen = deque(first), {start}
    while queue:
        step = queue.popleft()
        if step.module in handlers or _is_foreign(step.module, reader):
            yield step
            continue
        module = reader.load(step.module) if step.module not in seen else None
        seen.add(step.module)
        for each in module.exports.runtime if module is not None else ():
            queue.extend(_Step(name, (*step.chain, name), step.cause) for name in _imported(each, reader))


def _imported(each: RuntimeImport, reader: ModuleReader) -> Iterator[str]:
    """The modules that one import statement runs: packages on the way, the module, and a submodule taken from it."""
    if is_generated(each.module) or each.module.startswith("."):
        return
    if not reader.index.in_tree(each.module):
        yield each.module
        return
    parts = each.module.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    submodule = f"{each.module}.{each.name}"
    if each.name is not None and not is_generated(submodule) and reader.index.find(submodule) is not None:
        yield submodule


def _is_foreign(name: str, reader: ModuleReader) -> bool:
    own = name.partition(".")[0] in ("stem", "__future__")
    return not (own or is_stdlib(name) or reader.index.owns(name))


def _is_leaf(name: str, reader: ModuleReader) -> bool:
    source = reader.index.find(name)
    return source is not None and not source.is_package
