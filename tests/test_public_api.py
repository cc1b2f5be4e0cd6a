"""The public names are real, and asking for one name does not load the world."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
import sys

import pytest

import stem

HEAVY = {
    "pydantic",
    "pydantic_core",
    "aiosqlite",
    "sqlite3",
    "asyncio",
    "click",
    "rich",
    "concurrent.futures",
    "ssl",
    "email",
}
SHOW_MODULES = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded_by(statements: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter holds after these statements, beyond those of an idle one."""
    return _modules(statements, *arguments) - _modules("pass")


def _modules(statements: str, *arguments: str) -> set[str]:
    script = f"import sys\n{statements}\n{SHOW_MODULES}"
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(run.stdout.splitlines()[-1])
    return set(found)


@pytest.mark.parametrize("name", stem.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(stem, name) is not None


def test_the_public_names_are_sorted_and_said_once() -> None:
    assert len(set(stem.__all__)) == len(stem.__all__)


def test_dir_shows_every_public_name() -> None:
    assert set(stem.__all__) <= set(dir(stem))


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = getattr(stem, "no_such_name")  # noqa: B009 - the type checker would refuse the plain access


def test_importing_stem_loads_nothing_heavy() -> None:
    assert loaded_by("import stem") & HEAVY == set()


def test_declaring_a_task_loads_no_driver_and_no_command_line() -> None:
    loaded = loaded_by("from stem import Retry, TaskContext, task")
    assert loaded & {"pydantic", "aiosqlite", "click", "rich"} == set()


def test_the_help_of_the_command_line_loads_no_models_and_no_driver() -> None:
    help_text = "from stem.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_by(help_text) & {"pydantic", "pydantic_core", "aiosqlite", "sqlite3", "rich"} == set()


@pytest.mark.parametrize("package", ["stem", "stem_builder"])
def test_both_packages_are_marked_as_typed(package: str) -> None:
    assert (importlib.resources.files(package) / "py.typed").is_file()
