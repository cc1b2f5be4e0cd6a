"""Follows a name through imports, re-exports and aliases to what it means, by reading source."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import Final, TypeAlias

from stem_builder.check.verdict import did_you_mean
from stem_builder.scan.exports import Assigned, Binding, Defined, Imported
from stem_builder.scan.modules import is_generated
from stem_builder.scan.reader import Module, ModuleReader

__all__ = ["Found", "Outside", "Resolver", "Target", "Unresolved", "dotted"]

MAX_HOPS: Final = 64
Parts: TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Found:
    """A definition in the tree: `rest` are attributes behind it, such as the member of an enum.

    `public` is (module, qualname) as the asking module wrote it: what a producer imports.
    """

    module: Module
    qualname: str
    binding: Defined | Assigned
    rest: Parts
    public: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outside:
    """A name of a module outside the tree, or a built-in."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a name leads nowhere, and what would help."""

    reason: str
    help: str = ""


Target: TypeAlias = "Found | Outside | Unresolved"


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a walk stands: the module, the names still to follow, and the place the asker imports from."""

    module: str
    parts: Parts
    public: tuple[str, Parts]
    seen: frozenset[tuple[str, str]] = frozenset()

    def arrive(self, module: str, parts: Parts) -> _Path:
        """The next step; a module reached on the way becomes the public place of what it holds."""
        public = (module, parts) if len(parts) < len(self.public[1]) or not self.public[0] else self.public
        return _Path(module, parts, public, self.seen | {(self.module, self.parts[0])})


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of attributes, or the empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


class Resolver:
    """Answers what a dotted name means in a module; the same question is answered once."""

    def __init__(self, reader: ModuleReader) -> None:
        self.reader = reader
        self._cache: dict[tuple[str, str], Target] = {}

    def resolve(self, module: Module, name: str) -> Target:
        """What `name` means at the top level of `module`; never raises."""
        key = (module.name, name)
        if key not in self._cache:
            self._cache[key] = self._start(module, tuple(name.split(".")))
        return self._cache[key]

    def follow(self, module: Module, name: str) -> Target:
        """Like `resolve`, and on through plain aliases (`Order = impl.Order`) to what they stand for."""
        target = self.resolve(module, name)
        for _ in range(MAX_HOPS):
            step = _alias(target)
            if step is None:
                return target
            target = self.resolve(*step)
        return Unresolved("too many aliases", "import the name from where it is defined")

    def _start(self, module: Module, parts: Parts) -> Target:
        binding = module.exports.names.get(parts[0])
        path = _Path(module.name, parts, ("", parts))
        if binding is None and not module.exports.stars and hasattr(builtins, parts[0]):
            return Outside("builtins", ".".join(parts))
        found = self._walk(path)
        if isinstance(found, Unresolved) and binding is None and hasattr(builtins, parts[0]):
            return Outside("builtins", ".".join(parts))
        return found

    def _walk(self, path: _Path) -> Target:
        if not path.parts:
            return Unresolved(f"`{path.module}` is a module, not a type")
        if len(path.seen) > MAX_HOPS:
            return Unresolved("too many re-exports", "import the name from where it is defined")
        if is_generated(path.module) or not self.reader.index.in_tree(path.module):
            return self._leave(path)
        module = self.reader.load(path.module)
        if module is None:
            return self._submodule(path) or self._missing(path)
        binding = module.exports.names.get(path.parts[0])
        if binding is None or (path.module, path.parts[0]) in path.seen:
            return self._submodule(path) or self._star(module, path) or self._missing(path)
        return self._bound(module, binding, path)

    def _bound(self, module: Module, binding: Binding, path: _Path) -> Target:
        if isinstance(binding, Imported):
            return self._imported(module, binding, path)
        public = path.public[0] or module.name
        qualname, node, rest = _descend(binding, path.parts)
        written = path.public[1][: len(path.public[1]) - len(rest)]
        return Found(module, qualname, node, rest, (public, ".".join(written)))

    def _imported(self, module: Module, binding: Imported, path: _Path) -> Target:
        parts = path.parts[1:] if binding.name is None else (binding.name, *path.parts[1:])
        if binding.name is None and not self.reader.index.in_tree(binding.module):
            known = [plain for plain in module.exports.plain_modules if _leads(plain, binding.module, parts)]
            longest = max(known, key=len, default=binding.module)
            parts = parts[longest.count(".") - binding.module.count(".") :]
            return self._walk(path.arrive(longest, parts))
        return self._walk(path.arrive(binding.module, parts))

    def _submodule(self, path: _Path) -> Target | None:
        name = f"{path.module}.{path.parts[0]}"
        if not self.reader.index.in_tree(name):
            return None
        return self._walk(path.arrive(name, path.parts[1:]))

    def _star(self, module: Module, path: _Path) -> Target | None:
        outside = [star for star in module.exports.stars if not self.reader.index.in_tree(star)]
        for star in module.exports.stars:
            if star not in outside and self._offers(star, path.parts[0]) and (star, path.parts[0]) not in path.seen:
                found = self._walk(path.arrive(star, path.parts))
                if not isinstance(found, Unresolved):
                    return found
        if outside:
            return Unresolved(
                f"`{module.name}` star-imports from `{outside[0]}`, which cannot be followed",
                f"import the name: `from {outside[0]} import {path.parts[0]}`",
            )
        return None

    def _offers(self, star: str, name: str) -> bool:
        module = self.reader.load(star)
        return module is None or module.exports.is_public(name)

    def _leave(self, path: _Path) -> Target:
        if is_generated(path.module):
            return Unresolved("generated modules define no types", "import it from where it is defined")
        if path.module.startswith("."):
            return Unresolved("a relative import leads beyond the top-level package", "import by the full name")
        if self.reader.index.owns(path.module) and path.module.partition(".")[0] != path.module:
            return Unresolved(f"there is no module `{path.module}`", "correct the import")
        module, parts = path.public if path.public[0] else (path.module, path.parts)
        if self.reader.index.in_tree(module):  # re-exported by the tree: what lies outside is its own public place
            module, parts = path.module, path.parts
        return Outside(module, ".".join(parts))

    def _missing(self, path: _Path) -> Unresolved:
        module = self.reader.load(path.module)
        names = module.exports.names if module is not None else {}
        if path.module in self.reader.broken:
            return Unresolved(f"`{path.module}` cannot be read as Python", "correct its syntax first")
        where = f"`{path.module}` has no name `{path.parts[0]}`" if path.public[0] else "this module does not define it"
        return Unresolved(where, did_you_mean(path.parts[0], names) or "correct the name, or import it")


def _alias(target: Target) -> tuple[Module, str] | None:
    if isinstance(target, Found) and isinstance(target.binding, Assigned) and target.binding.value is not None:
        name = dotted(target.binding.value)
        if name:
            return target.module, ".".join((name, *target.rest))
    return None


def _leads(plain: str, module: str, parts: Parts) -> bool:
    whole = ".".join((module, *parts))
    return plain.startswith(module) and (whole + ".").startswith(plain + ".")


def _descend(binding: Defined | Assigned, parts: Parts) -> tuple[str, Defined | Assigned, Parts]:
    done = 1
    while done < len(parts) and isinstance(binding, Defined) and isinstance(binding.node, ast.ClassDef):
        inner = _nested_class(binding.node, parts[done])
        if inner is None:
            break
        binding, done = Defined(inner), done + 1
    return ".".join(parts[:done]), binding, parts[done:]


def _nested_class(node: ast.ClassDef, name: str) -> ast.ClassDef | None:
    return next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == name), None)
