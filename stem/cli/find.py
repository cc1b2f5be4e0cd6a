"""Which application and which store a command is about, and where that was said."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from stem.errors import ConfigError

__all__ = ["DEFAULT_URL", "Found", "file_of", "find_app", "find_url", "load", "read_project"]

DEFAULT_URL: Final = "sqlite:///stem.db"


@dataclass(frozen=True, slots=True)
class Found:
    """A setting and where it was found, for `stem doctor` and for messages."""

    value: str
    origin: str


def find_app(argument: str | None, environment: Mapping[str, str], project: Mapping[str, object]) -> Found | None:
    """The `module:attribute` of the application: argument, STEM_APP, `[tool.stem] app`, in this order."""
    if argument:
        return Found(argument, "argument")
    if environment.get("STEM_APP"):
        return Found(environment["STEM_APP"], "STEM_APP")
    app = project.get("app")
    if app is not None and not isinstance(app, str):
        raise ConfigError(
            expected='[tool.stem] app to be a string like "shop._stem.registry:registry"',
            found=repr(app),
            do="Correct it in pyproject.toml.",
        )
    return Found(app, "[tool.stem] app") if app else None


def find_url(option: str | None, environment: Mapping[str, str]) -> Found:
    """The URL of the store: the option, else STEM_URL, else the SQLite file `stem.db` in the working directory."""
    if option:
        return Found(option, "--url")
    if environment.get("STEM_URL"):
        return Found(environment["STEM_URL"], "STEM_URL")
    return Found(DEFAULT_URL, "default")


def file_of(url: str) -> Path | None:
    """The file of an SQLite URL (`sqlite:///relative`, `sqlite:////absolute`); `None` for every other engine."""
    scheme, found, path = url.partition(":///")
    return Path(path.partition("?")[0]).absolute() if found and scheme == "sqlite" and path else None


def read_project(start: Path) -> Mapping[str, object]:
    """The table `[tool.stem]` of the nearest pyproject.toml at or above `start`; empty where there is none.

    Raises `ConfigError` for a file that is no TOML.
    """
    folders = [start.resolve(), *start.resolve().parents]
    file = next((folder / "pyproject.toml" for folder in folders if (folder / "pyproject.toml").is_file()), None)
    if file is None:
        return {}
    try:
        document: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(expected=f"{file} to be TOML", found=str(error), do="Correct the file.") from None
    return _table(_table(document, "tool"), "stem")


def _table(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = document.get(name, {})
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else {}


def load(reference: str, working_directory: Path) -> object:
    """Import what `module:attribute` names, with the working directory on the path.

    Raises `ConfigError` when the module or the attribute is not there; an error inside the module passes through.
    """
    module, colon, attribute = reference.partition(":")
    if not colon or not module or not attribute:
        raise _wrong(reference, "a reference like shop._stem.registry:registry", reference)
    if str(working_directory) not in sys.path:
        sys.path.insert(0, str(working_directory))
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise _wrong(reference, f"the module {module} to be importable", f"no module named {error.name}") from None
    for name in attribute.split("."):
        found = getattr(found, name, None)
    if found is None:
        raise _wrong(reference, f"{module} to have {attribute}", "nothing of that name")
    return found


def _wrong(reference: str, expected: str, found: str) -> ConfigError:
    return ConfigError(
        expected=expected,
        found=found,
        do=f"Run the command where {reference.split('.', 1)[0]!r} can be imported, or correct the reference.",
    )
