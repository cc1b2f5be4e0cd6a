"""The neutral model as Python text, formatted and deterministic to the byte."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from stem.errors import BuildError
from stem_builder.render.definitions import render_definitions
from stem_builder.render.environment import render_template
from stem_builder.render.registry import render_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stem_builder.model import Package

__all__ = ["render_package"]


def render_package(package: Package, *, contract: str, contracts: Mapping[str, str], version: str) -> dict[str, str]:
    """The text of each Python file of `_stem`, by file name; the registry is last, as it is written last.

    Raises `BuildError` for a handler module that no import statement can name.
    """
    _require_importable(package)
    header: dict[str, object] = {"version": version, "package": package.name}
    return {
        "__init__.py": render_template("package.py.jinja", header),
        "definitions.py": render_definitions(package, contract=contract, contracts=contracts, version=version),
        "registry.py": render_registry(package, contract=contract, version=version),
    }


def _require_importable(package: Package) -> None:
    for module in sorted({task.module for task in package.tasks}):
        if any(iskeyword(part) for part in module.split(".")):
            raise BuildError(
                expected="handler modules whose names an import statement can spell",
                found=f"`{module}`, in which a part is a keyword of Python",
                do="Rename the file or the folder.",
            )
