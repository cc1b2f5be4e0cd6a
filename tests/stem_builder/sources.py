"""Writes a small project for a test and scans it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Task, TypeRef
from stem_builder.scan import ScanResult, scan_package

MODELS = """
    from pydantic import BaseModel
    class Order(BaseModel):
        id: int
    class Receipt(BaseModel):
        id: int
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes files by relative path, with an empty `__init__` for `shop` and its models unless given."""
    for name, text in {"shop/__init__.py": "", "shop/models.py": MODELS, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).removeprefix("\n"), encoding="utf-8")
    return root


def scan(root: Path, files: dict[str, str], package: str = "shop") -> ScanResult:
    """Scans `package` of a project that holds these files."""
    write(root, files)
    return scan_package(package, roots=[root], project=root)


def scan_tasks(root: Path, tasks: str, **more: str) -> ScanResult:
    """Scans a package whose `shop/tasks.py` is this text; `models="..."` writes `shop/models.py`."""
    return scan(root, {"shop/tasks.py": tasks, **{f"shop/{name}.py": text for name, text in more.items()}})


def only_task(result: ScanResult) -> Task:
    """The one task of a package without problems."""
    assert result.diagnostics == ()
    (task,) = result.package.tasks
    return task


def codes(result: ScanResult) -> list[str]:
    """The rules that fired, in order."""
    return [found.rule for found in result.diagnostics]


def the(result: ScanResult, code: str) -> Diagnostic:
    """The one problem under this rule."""
    (found,) = [one for one in result.diagnostics if one.rule == code]
    return found


def text(ref: TypeRef | None) -> str:
    """A type with every symbol as `module.name`, built-ins by their name."""
    assert ref is not None
    return "".join(part if isinstance(part, str) else _name(part.import_module, part.name) for part in ref.parts)


def _name(module: str, name: str) -> str:
    return name if module == "builtins" else f"{module}.{name}"
