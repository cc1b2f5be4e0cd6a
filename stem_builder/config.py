"""What `[tool.stem.build]` in pyproject.toml says; read-only, nothing is imported."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from stem.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BuildConfig", "find_project", "load_config", "read_pyproject"]

_KEYS: Final = frozenset({"packages", "src"})
_EXAMPLE: Final = 'Write `[tool.stem.build]` with `packages = ["shop"]`, or run `stem-build init`.'


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """One project: its folder, the packages to build in the order given, and the folders that modules are found in.

    `project` and `roots` are absolute; every package is a folder with an `__init__.py` or a namespace folder in a root.
    """

    project: Path
    packages: tuple[str, ...]
    roots: tuple[Path, ...]

    def directory(self, package: str) -> Path:
        """The folder of a configured package, or what a lone module should become; raises `BuildError` for none."""
        relative = Path(*package.split("."))
        folders = (root / relative for root in self.roots)
        found = next((folder for folder in folders if folder.is_dir() or folder.with_suffix(".py").is_file()), None)
        if found is None:
            raise _no_package(package, self.roots)
        return found

    def select(self, names: Sequence[str]) -> tuple[str, ...]:
        """The configured packages among `names`, or all of them for no names; raises `BuildError` for any other."""
        unknown = [name for name in names if name not in self.packages]
        if unknown:
            raise BuildError(
                expected=f"one of the configured packages: {', '.join(self.packages)}",
                found=f"`{unknown[0]}`",
                do="Correct the name, or add it to `packages` in [tool.stem.build].",
            )
        return tuple(name for name in self.packages if not names or name in names)


def find_project(start: Path) -> Path:
    """The nearest folder from `start` upwards that has a pyproject.toml; raises `BuildError` when there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise BuildError(
        expected="a pyproject.toml in this folder or above it",
        found=f"none from `{start}` upwards",
        do="Go to the project's folder or give --project DIR.",
    )


def load_config(project: Path) -> BuildConfig:
    """The settings of the project in this folder; raises `BuildError` for a file that is missing, broken or wrong."""
    project = project.resolve()
    section = _section(read_pyproject(project))
    unknown = sorted(section.keys() - _KEYS)
    if unknown:
        raise _wrong(f"keys among {', '.join(sorted(_KEYS))}", f"`{unknown[0]}`", "Correct or remove the key.")
    packages = _names(section.get("packages"), "packages")
    if not packages:
        raise _wrong("a list `packages` with at least one name", "an empty list", _EXAMPLE)
    _check_packages(packages)
    config = BuildConfig(project, packages, _roots(project, section.get("src")))
    for package in packages:
        config.directory(package)
    return config


def read_pyproject(project: Path) -> dict[str, object]:
    """The parsed pyproject.toml of a folder; raises `BuildError` when it is missing or no TOML."""
    path = project / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(
            expected=f"a readable TOML file at `{path}`",
            found=str(error),
            do="Correct the file, or give the project's folder by --project DIR.",
        ) from error


def _section(document: object) -> dict[str, object]:
    for key in ("tool", "stem", "build"):
        if not isinstance(document, dict) or key not in document:
            raise _wrong("a table [tool.stem.build]", "none", _EXAMPLE)
        document = cast("dict[str, object]", document)[key]
    if not isinstance(document, dict):
        raise _wrong("[tool.stem.build] to be a table", repr(document), _EXAMPLE)
    return cast("dict[str, object]", document)


def _names(value: object, key: str) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    names = [item for item in items if isinstance(item, str) and item]
    if len(names) != len(items):
        raise _wrong(f"`{key}` to be a list of strings", json.dumps(value, default=str), _EXAMPLE)
    return tuple(dict.fromkeys(names))


def _check_packages(packages: tuple[str, ...]) -> None:
    for name in packages:
        if not all(part.isidentifier() and not iskeyword(part) for part in name.split(".")):
            raise _wrong("`packages` to hold dotted package names", repr(name), "Write the name as you import it.")


def _roots(project: Path, value: object) -> tuple[Path, ...]:
    if value is None:
        default = ("src", ".") if (project / "src").is_dir() else (".",)
        return tuple((project / name).resolve() for name in default)
    roots = tuple((project / name).resolve() for name in _names(value, "src"))
    missing = next((root for root in roots if not root.is_dir()), None)
    if missing is not None:
        raise _wrong("every folder in `src` to exist", f"no folder `{missing}`", "Correct `src`.")
    return roots


def _no_package(package: str, roots: tuple[Path, ...]) -> BuildError:
    looked = ", ".join(str(root) for root in roots)
    return BuildError(
        expected=f"a folder for package `{package}`",
        found=f"none in {looked}",
        do="Correct `packages`, or name the source folders in `src`.",
    )


def _wrong(expected: str, found: str, do: str) -> BuildError:
    return BuildError(expected=f"{expected} in pyproject.toml", found=found, do=do)
