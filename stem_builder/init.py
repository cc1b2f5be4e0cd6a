"""`stem-build init`: the settings of a project that has none, and what its other tools should know."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from stem.errors import BuildError
from stem_builder.config import read_pyproject
from stem_builder.write import changed, current, write_files

__all__ = ["RUFF_HINT", "initialise"]

RUFF_HINT: Final = 'If you use ruff, add to [tool.ruff]: extend-exclude = ["**/_stem/**"]'
_ATTRIBUTES: Final = "**/_stem/** linguist-generated\n"
_USES_STEM: Final = re.compile(rb"^\s*(from|import)\s+stem\b", re.MULTILINE)
_NOT_PACKAGES: Final = frozenset({"tests", "test", "docs", "examples", "build", "dist", "node_modules"})


def initialise(project: Path, packages: Sequence[str]) -> tuple[Path, ...]:
    """Writes `[tool.stem.build]` and .gitattributes where they lack it, and returns the files that it changed.

    Without names it takes every package of the project that imports `stem`. Raises `BuildError` when there is none, or
    when the table cannot be added to pyproject.toml as it is; a second run changes nothing.
    """
    path = project / "pyproject.toml"
    read_pyproject(project)
    text = current(path) or ""
    files = {path: _configured(text, packages or _packages(project))}
    attributes = project / ".gitattributes"
    files[attributes] = _with_line(current(attributes) or "", _ATTRIBUTES)
    different = changed(files)
    write_files(different)
    return tuple(different)


def _configured(text: str, packages: Sequence[str]) -> str:
    stem = tomllib.loads(text).get("tool", {}).get("stem", {})
    if isinstance(stem, dict) and "build" in stem:
        return text
    if not packages:
        raise BuildError(
            expected="a package that imports `stem`",
            found="none in this project",
            do="Name the packages: stem-build init PACKAGE",
        )
    names = ", ".join(json.dumps(name) for name in packages)
    added = f"{_with_end(text)}\n[tool.stem.build]\npackages = [{names}]\n"
    try:
        tomllib.loads(added)
    except tomllib.TOMLDecodeError as error:
        raise BuildError(
            expected="to add the table [tool.stem.build] at the end of pyproject.toml",
            found=str(error),
            do=f"Add it by hand: packages = [{names}]",
        ) from error
    return added


def _with_line(text: str, line: str) -> str:
    return text if line in text.splitlines(keepends=True) else _with_end(text) + line


def _with_end(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _packages(project: Path) -> tuple[str, ...]:
    root = project / "src" if (project / "src").is_dir() else project
    return tuple(folder.name for folder in _candidates(root) if _imports_stem(folder))


def _candidates(root: Path) -> Iterator[Path]:
    for folder in sorted(root.iterdir()):
        if folder.name.isidentifier() and folder.name not in _NOT_PACKAGES and (folder / "__init__.py").is_file():
            yield folder


def _imports_stem(folder: Path) -> bool:
    return any(_USES_STEM.search(path.read_bytes()) for path in sorted(folder.rglob("*.py")))
