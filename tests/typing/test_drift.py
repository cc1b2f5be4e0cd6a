"""A handler that changed after its definitions were generated is noticed: by the type checker, by `check`, or by both.

Every change is made in its own copy of the package, so that one run of the type checker judges all of them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from stem_builder.build import build
from stem_builder.config import load_config
from stem_builder.write import changed, write_files

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]

CHARGE = "async def charge(ctx: TaskContext, order: ChargeOrder) -> Receipt:"
RENDER = "\n\n@task\ndef render(receipt: Receipt) -> bytes:\n    return receipt.charge_id.encode()\n"
SILENT = {"d14_default_value_changed"}  # a default's value is no part of a type


@dataclass(frozen=True)
class Change:
    """One edit of a handler module."""

    old: str
    new: str


CHANGES = {
    "d01_argument_model_changed": Change(CHARGE, CHARGE.replace("ChargeOrder", "Mail")),
    "d02_required_parameter_added": Change("count(text: str, *", "count(text: str, limit: int, *"),
    "d03_default_removed": Change('locale: str = "en"', "locale: str"),
    "d04_parameter_renamed": Change("words: bool", "word: bool"),
    "d05_return_type_changed": Change("-> int:", "-> str:"),
    "d06_context_dropped": Change("charge(ctx: TaskContext, order", "charge(order"),
    "d07_async_became_sync": Change("async def count", "def count"),
    "d08_model_parameter_renamed": Change("charge(ctx: TaskContext, order: ", "charge(ctx: TaskContext, item: "),
    "d12_task_deleted": Change(RENDER, ""),
    "d13_optional_parameter_added": Change("copies: int = 1) -> Mail", "copies: int = 1, blind: bool = False) -> Mail"),
    "d14_default_value_changed": Change('locale: str = "en"', 'locale: str = "de"'),
}


@dataclass(frozen=True)
class Verdict:
    """What noticed: the packages with errors in their registry, and the files that `check` would replace."""

    mypy: dict[str, str]
    check: dict[str, list[str]]


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    root = tmp_path_factory.mktemp("drift")
    for name in (*CHANGES, "unchanged"):
        shutil.copytree(HERE / "project" / "shop", root / name, ignore=shutil.ignore_patterns("__pycache__"))
    names = ", ".join(f'"{name}"' for name in (*CHANGES, "unchanged"))
    (root / "pyproject.toml").write_text(f"[tool.stem.build]\npackages = [{names}]\n")
    rename_tasks(root)
    write_files(build(load_config(root)).files)
    for name, change in CHANGES.items():
        handlers = root / name / "handlers.py"
        text = handlers.read_text()
        assert text.count(change.old) == 1
        handlers.write_text(text.replace(change.old, change.new))
    return Verdict(judged_by_mypy(root), judged_by_check(root))


def rename_tasks(root: Path) -> None:
    """Each copy has its own task names; the one that is written out would otherwise be the same in all.

    And it has no upcast: one that does not fit its changed handler any more is an error, and nothing is built.
    """
    for name in (*CHANGES, "unchanged"):
        handlers = root / name / "handlers.py"
        text = re.sub(r"^@upcast.*?\n\n\n", "", handlers.read_text(), flags=re.DOTALL | re.MULTILINE)
        handlers.write_text(text.replace("billing.charge", f"{name}.charge"))


def judged_by_mypy(root: Path) -> dict[str, str]:
    (root / "mypy.ini").write_text(f"[mypy]\nstrict = true\npython_version = 3.11\nmypy_path = {REPOSITORY}\n")
    command = [sys.executable, "-m", "mypy", *(f"{name}/_stem/registry.py" for name in (*CHANGES, "unchanged"))]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert not done.stderr
    found = re.findall(r"^(\w+)/_stem/registry\.py:\d+: error: (.*)$", done.stdout, re.MULTILINE)
    return dict(reversed(found))


def judged_by_check(root: Path) -> dict[str, list[str]]:
    result = build(load_config(root))
    assert result.files
    files = [path.relative_to(root.resolve()).parts for path in changed(result.files)]
    return {name: sorted(parts[-1] for parts in files if parts[0] == name) for name in (*CHANGES, "unchanged")}


@pytest.mark.parametrize("change", sorted(CHANGES.keys() - SILENT))
def test_the_type_checker_notices(verdict: Verdict, change: str) -> None:
    assert change in verdict.mypy


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_check_notices(verdict: Verdict, change: str) -> None:
    assert "definitions.py" in verdict.check[change] or "registry.py" in verdict.check[change]


@pytest.mark.parametrize("change", sorted(SILENT))
def test_what_the_type_checker_cannot_see_changes_the_contract(verdict: Verdict, change: str) -> None:
    assert change not in verdict.mypy
    assert verdict.check[change] == ["contract.json", "definitions.py", "registry.py"]


def test_nothing_is_said_about_an_unchanged_package(verdict: Verdict) -> None:
    assert "unchanged" not in verdict.mypy
    assert verdict.check["unchanged"] == []
