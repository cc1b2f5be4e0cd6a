"""Dotted names to files, by looking at the source roots only; nothing is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["GENERATED", "ModuleIndex", "SourceModule", "is_generated"]

GENERATED: Final = "_stem"
_OWN: Final = frozenset({"stem", "stem_builder"})


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module of the tree: its dotted name, its file, and the file's posix path relative to the project."""

    name: str
    path: Path
    relative: str
    is_package: bool

    @property
    def package(self) -> str:
        """What Python calls `__package__`, or the module's own name where it has none."""
        return self.name if self.is_package else self.name.rpartition(".")[0] or self.name


def is_generated(name: str) -> bool:
    """Whether a module belongs to stem-build's output, which may not exist yet."""
    return GENERATED in name.split(".")


class ModuleIndex:
    """Finds modules below the source roots, the first root first; Stem itself is never part of the tree."""

    def __init__(self, roots: Sequence[Path], project: Path) -> None:
        self._roots = tuple(roots)
        self._project = project
        self._found: dict[str, SourceModule | None] = {}
        self._namespaces: dict[str, bool] = {}

    def find(self, name: str) -> SourceModule | None:
        """The file of a module, or `None` for generated modules, namespaces and everything outside the roots."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def in_tree(self, name: str) -> bool:
        """Whether this is a module or a namespace package of the tree, generated ones included."""
        if name.partition(".")[0] in _OWN:
            return False
        return is_generated(name) or self.find(name) is not None or self._is_namespace(name)

    def owns(self, name: str) -> bool:
        """Whether the top-level package of `name` is part of the tree."""
        return self.in_tree(name.partition(".")[0])

    def directory(self, package: str) -> Path | None:
        """The folder of a package, with or without `__init__.py`."""
        for root in self._roots:
            folder = root.joinpath(*package.split("."))
            if folder.is_dir():
                return folder
        return None

    def describe(self, name: str, path: Path) -> SourceModule:
        """A module whose file was met while walking."""
        return SourceModule(name, path, self.relative(path), is_package=path.name == "__init__.py")

    def relative(self, path: Path) -> str:
        """The path as diagnostics show it: relative to the project where it lies below, else whole."""
        inside = path.is_relative_to(self._project)
        return path.relative_to(self._project).as_posix() if inside else path.as_posix()

    def _look(self, name: str) -> SourceModule | None:
        if "" in name.split(".") or name.partition(".")[0] in _OWN or is_generated(name):
            return None
        for root in self._roots:
            base = root.joinpath(*name.split("."))
            for path in (base / "__init__.py", base.with_name(base.name + ".py")):
                if path.is_file():
                    return self.describe(name, path)
        return None

    def _is_namespace(self, name: str) -> bool:
        if name not in self._namespaces:
            folder = None if "" in name.split(".") else self.directory(name)
            self._namespaces[name] = folder is not None and _holds_modules(folder)
        return self._namespaces[name]


def _holds_modules(folder: Path) -> bool:
    try:
        return any(child.suffix == ".py" or (child / "__init__.py").is_file() for child in folder.iterdir())
    except OSError:
        return False
