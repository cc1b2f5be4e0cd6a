from __future__ import annotations

from pathlib import Path

import pytest

from stem.errors import BuildError
from stem_builder.config import BuildConfig, find_project, load_config
from tests.stem_builder.samples import write_tree


def project(root: Path, toml: str, *files: str) -> Path:
    return write_tree(root, {"pyproject.toml": toml, **dict.fromkeys(files, "")})


def test_the_packages_are_found_beside_pyproject(tmp_path: Path) -> None:
    tree = project(tmp_path, '[tool.stem.build]\npackages = ["shop"]\n', "shop/__init__.py")
    config = load_config(tree)
    assert config == BuildConfig(tree.resolve(), ("shop",), (tree.resolve(),))
    assert config.directory("shop") == tree.resolve() / "shop"


def test_a_src_folder_is_a_root_without_being_asked_for(tmp_path: Path) -> None:
    tree = project(tmp_path, '[tool.stem.build]\npackages = ["shop"]\n', "src/shop/__init__.py")
    assert load_config(tree).directory("shop") == tree.resolve() / "src" / "shop"


def test_roots_can_be_named(tmp_path: Path) -> None:
    tree = project(tmp_path, '[tool.stem.build]\npackages = ["a.b"]\nsrc = ["lib"]\n', "lib/a/b/__init__.py")
    assert load_config(tree).roots == (tree.resolve() / "lib",)


WRONG = {
    "no table": ("", "run `stem-build init`"),
    "no toml": ("[tool", "readable TOML"),
    "no packages": ("[tool.stem.build]\n", "`packages` to be a list of strings"),
    "an empty list": ("[tool.stem.build]\npackages = []\n", "at least one name"),
    "not a list": ('[tool.stem.build]\npackages = "shop"\n', 'found "shop"'),
    "not a name": ('[tool.stem.build]\npackages = ["my-shop"]\n', "dotted package names"),
    "a keyword": ('[tool.stem.build]\npackages = ["shop.class"]\n', "dotted package names"),
    "an unknown key": ('[tool.stem.build]\npackages = ["shop"]\nsource = ["x"]\n', "found `source`"),
    "no such package": ('[tool.stem.build]\npackages = ["store"]\n', "a folder for package `store`"),
    "no such root": ('[tool.stem.build]\npackages = ["shop"]\nsrc = ["lib"]\n', "every folder in `src` to exist"),
    "not a table": ("[tool.stem]\nbuild = 1\n", "to be a table"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_says_what_was_expected(tmp_path: Path, case: str) -> None:
    toml, message = WRONG[case]
    tree = project(tmp_path, toml, "shop/__init__.py")
    with pytest.raises(BuildError) as caught:
        load_config(tree)
    assert message in str(caught.value)
    assert caught.value.do


def test_the_project_is_the_nearest_folder_with_a_pyproject(tmp_path: Path) -> None:
    tree = project(tmp_path, "", "a/b/c.py")
    assert find_project(tree / "a" / "b") == tree.resolve()


def test_without_a_pyproject_there_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="--project DIR"):
        find_project(tmp_path)


def test_only_configured_packages_can_be_chosen(tmp_path: Path) -> None:
    config = BuildConfig(tmp_path, ("a", "b"), (tmp_path,))
    assert config.select(()) == ("a", "b")
    assert config.select(["b"]) == ("b",)
    with pytest.raises(BuildError, match="found `c`"):
        config.select(["c"])
