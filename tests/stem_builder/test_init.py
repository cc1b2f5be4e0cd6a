from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from stem.errors import BuildError
from stem_builder.init import initialise
from tests.stem_builder.samples import write_tree

TASKS = "from stem import task\n"


def packages(project: Path) -> list[str]:
    settings: list[str] = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["stem"]["build"]["packages"]
    return settings


def test_the_packages_that_import_stem_are_configured(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "shop"',
            "shop/__init__.py": "",
            "shop/tasks.py": TASKS,
            "plain/__init__.py": "import stemming",
            "tests/__init__.py": TASKS,
        },
    )
    assert [path.name for path in initialise(tree, ())] == ["pyproject.toml", ".gitattributes"]
    assert packages(tree) == ["shop"]
    assert (tree / "pyproject.toml").read_text().startswith('[project]\nname = "shop"\n')
    assert "**/_stem/** linguist-generated\n" in (tree / ".gitattributes").read_text()


def test_packages_below_src_are_found(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"pyproject.toml": "", "src/shop/__init__.py": TASKS})
    initialise(tree, ())
    assert packages(tree) == ["shop"]


def test_packages_can_be_named(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"pyproject.toml": ""})
    initialise(tree, ["a", "b.c"])
    assert packages(tree) == ["a", "b.c"]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"pyproject.toml": "", ".gitattributes": "*.png binary"})
    initialise(tree, ["shop"])
    assert initialise(tree, ["other"]) == ()
    assert (tree / ".gitattributes").read_text() == "*.png binary\n**/_stem/** linguist-generated\n"


def test_no_package_is_an_error_that_says_how_to_name_one(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"pyproject.toml": ""})
    with pytest.raises(BuildError, match="stem-build init PACKAGE"):
        initialise(tree, ())


def test_a_table_that_cannot_be_added_is_left_to_a_person(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"pyproject.toml": 'tool = {stem = {app = "x"}}\n'})
    with pytest.raises(BuildError, match="Add it by hand"):
        initialise(tree, ["shop"])
    assert not (tree / ".gitattributes").exists()
