"""Which files of a package can declare tasks: a walk and byte patterns, so that most files are never parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stem.errors import BuildError
from stem_builder.scan.modules import GENERATED, ModuleIndex, SourceModule

__all__ = ["SUPPRESSION", "Candidate", "decorator_names", "select", "walk"]

SUPPRESSION: Final = re.compile(rb"#\s*stem:\s*noqa\[([^\]\n]*)\]")

_SKIPPED: Final = frozenset({GENERATED, "__pycache__", "node_modules", "venv", "site-packages"})
_IMPORTS: Final = re.compile(rb"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file of the package with its bytes."""

    source: SourceModule
    data: bytes


def walk(folder: Path, package: str) -> Iterator[tuple[Path, str]]:
    """Every Python file below a package with its dotted name, in a stable order.

    Generated output, hidden folders, virtual environments, links to a folder around them, and names that no import can
    spell are left out. Raises `BuildError` for a folder that cannot be listed.
    """
    for entry in _entries(folder):
        stem, dot, suffix = entry.name.partition(".")
        if entry.is_dir() and not dot and stem.isidentifier() and not _is_skipped(entry):
            yield from walk(Path(entry.path), f"{package}.{stem}")
        elif suffix == "py" and stem.isidentifier() and entry.is_file():
            yield Path(entry.path), package if stem == "__init__" else f"{package}.{stem}"


def decorator_names(candidates: Iterable[Candidate], index: ModuleIndex) -> frozenset[str]:
    """Every name under which `task` or `upcast` may stand: renamed imports and assignments, to any depth."""
    candidates = tuple(candidates)
    texts = [candidate.data for candidate in candidates]
    texts.extend(_outside_package(candidates, index))
    names = frozenset({"task", "upcast"})
    while True:
        pattern = _renames(names)
        more = {name for text in texts for name in _renamed(pattern, text)}
        if more <= names:
            return names
        names |= more


def select(candidates: Iterable[Candidate], names: frozenset[str]) -> list[Candidate]:
    """The files in which such a name decorates something, is called or bound; the names need not be Stem's."""
    options = "|".join(sorted(map(re.escape, names))).encode()
    decorates, called, bound = (
        rb"@[ \t]*(?:\w+[ \t]*\.[ \t]*)*(?:%b)\b",
        rb"(?<![\w.@])(?:\w+\.)?(?:%b)[ \t]*\(",
        rb"\bpartial\(\s*(?:\w+\.)*(?:%b)\b",
    )
    used = re.compile(b"|".join((decorates, called, bound)) % (options, options, options))
    return [candidate for candidate in candidates if used.search(candidate.data)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise BuildError(
            expected=f"a folder that can be listed: {folder}",
            found=error.strerror or "an error",
            do="Make it readable, or move it out of the package.",
        ) from error


def _is_skipped(entry: os.DirEntry[str]) -> bool:
    path = Path(entry.path)
    if entry.is_symlink() and path.parent.resolve().is_relative_to(path.resolve()):
        return True
    return entry.name in _SKIPPED or (path / "pyvenv.cfg").exists()


def _renames(names: frozenset[str]) -> re.Pattern[bytes]:
    options = "|".join(sorted(map(re.escape, names))).encode()
    return re.compile(
        rb"\b(?:%b)[ \t]+as[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*(?:\w+\.)*(?:%b)[ \t\r]*(?:#.*)?$"
        % (options, options),
        re.MULTILINE,
    )


def _renamed(pattern: re.Pattern[bytes], text: bytes) -> Iterator[str]:
    for match in pattern.finditer(text):
        name = (match[1] or match[2]).decode(errors="replace")
        if name.isidentifier():
            yield name


def _outside_package(candidates: tuple[Candidate, ...], index: ModuleIndex) -> Iterator[bytes]:
    """The bytes of modules of the tree that the package imports from and that are not part of it."""
    own = {candidate.source.name for candidate in candidates}
    asked: set[bytes] = set()
    for candidate in candidates:
        asked.update(match[1] or match[2] for match in _IMPORTS.finditer(candidate.data))
    for name in sorted(asked):
        source = index.find(name.decode(errors="replace").strip(".")) if not name.startswith(b".") else None
        if source is not None and source.name not in own:
            yield _bytes(source.path)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
