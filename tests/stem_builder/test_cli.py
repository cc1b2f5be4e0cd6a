from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from stem_builder import cli
from stem_builder.cli import main
from tests.stem_builder.samples import write_tree

TASKS = "from stem import task\n\n\n@task\ndef charge(order: int) -> None:\n    print(order)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_tree(
        tmp_path,
        {"pyproject.toml": '[tool.stem.build]\npackages = ["shop"]\n', "shop/__init__.py": "", "shop/tasks.py": TASKS},
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="stem-build")


def edit(project: Path, old: str, new: str) -> None:
    path = project / "shop" / "tasks.py"
    path.write_text(path.read_text().replace(old, new))


def definitions(project: Path) -> Path:
    return project / "shop" / "_stem" / "definitions.py"


def test_without_a_command_it_generates(project: Path) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stderr == "stem-build: 5 written, 0 unchanged\n"
    assert definitions(project).exists()


def test_a_second_run_touches_nothing(project: Path) -> None:
    run("gen")
    before = definitions(project).stat().st_mtime_ns
    assert run("gen", "shop").stderr == "stem-build: 0 written, 5 unchanged\n"
    assert definitions(project).stat().st_mtime_ns == before


def test_options_without_a_command_belong_to_gen(project: Path) -> None:
    result = run("--project", str(project), "--format", "json")
    assert json.loads(result.stdout) == {
        "diagnostics": [],
        "written": [
            "shop/_stem/__init__.py",
            "shop/_stem/contract.json",
            "shop/_stem/definitions.py",
            "stem.lock.json",
            "shop/_stem/registry.py",
        ],
    }


def test_check_is_quiet_when_everything_is_up_to_date(project: Path) -> None:
    run("gen")
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "stem-build: 5 up to date\n"


def test_check_shows_the_difference_and_the_command_and_writes_nothing(project: Path) -> None:
    run("gen")
    before = definitions(project).read_text()
    edit(project, "order: int", "order: str")
    result = run("check")
    assert result.exit_code == 1
    assert {"-def charge(order: int) -> None:", "+def charge(order: str) -> None:"} <= set(result.stdout.splitlines())
    assert "--- a/shop/_stem/definitions.py\n+++ b/shop/_stem/definitions.py\n" in result.stdout
    assert result.stderr == "stem-build: 4 out of date. Run: stem-build gen\n"
    assert definitions(project).read_text() == before


def test_check_before_the_first_generation_is_drift(project: Path) -> None:
    assert run("check", "shop").stderr.endswith("5 out of date. Run: stem-build gen shop\n")
    assert not definitions(project).exists()


def test_check_speaks_json_and_one_line(project: Path) -> None:
    run("gen")
    edit(project, "order: int", "order: str")
    drift = json.loads(run("check", "--format", "json").stdout)["drift"]
    assert sorted(drift) == [
        "shop/_stem/contract.json",
        "shop/_stem/definitions.py",
        "shop/_stem/registry.py",
        "stem.lock.json",
    ]
    assert "shop/_stem/definitions.py: out of date\n" in run("check", "--format", "concise").stdout


def test_a_problem_in_the_source_stops_gen_before_anything_is_written(project: Path) -> None:
    edit(project, "order: int", "order")
    result = run("gen")
    assert result.exit_code == 1
    assert "error[STL101]" in result.stdout
    assert "  --> shop/tasks.py:5:12\n" in result.stdout
    assert result.stderr == "stem-build: 1 error\n"
    assert not definitions(project).exists()


def test_a_problem_in_the_source_is_exit_code_two_of_check(project: Path) -> None:
    run("gen")
    edit(project, "order: int", "order")
    result = run("check", "--format", "concise")
    assert result.exit_code == 2
    assert result.stdout.startswith("shop/tasks.py:5:12: error[STL101]: ")


def test_output_that_was_edited_is_kept_until_forced(project: Path) -> None:
    run("gen")
    definitions(project).write_text(definitions(project).read_text() + "mine = 1\n")
    result = run("gen")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert "mine" in definitions(project).read_text()
    assert run("gen", "--force").exit_code == 0
    assert "mine" not in definitions(project).read_text()


def test_one_package_of_two_keeps_the_part_of_the_other_in_the_lock(project: Path) -> None:
    write_tree(
        project,
        {
            "pyproject.toml": '[tool.stem.build]\npackages = ["shop", "store"]\n',
            "store/__init__.py": "",
            "store/tasks.py": TASKS,
        },
    )
    run("gen")
    lock = json.loads((project / "stem.lock.json").read_text())["packages"]
    edit(project, "order: int", "order: str")
    assert run("gen", "shop").stderr == "stem-build: 4 written, 1 unchanged\n"
    after = json.loads((project / "stem.lock.json").read_text())["packages"]
    assert after["store"] == lock["store"]
    assert after["shop"] != lock["shop"]
    assert run("check").exit_code == 0


def test_a_broken_lock_says_how_to_write_it_anew(project: Path) -> None:
    run("gen")
    (project / "stem.lock.json").write_text("<<<<<<< HEAD\n")
    assert "without a package name" in run("gen", "shop").stderr
    assert run("gen").exit_code == 0


def test_an_error_is_three_lines_and_exit_code_two(project: Path) -> None:
    (project / "pyproject.toml").write_text("")
    result = run("gen")
    assert result.exit_code == 2
    assert result.stderr.startswith("error[STEM-E010]: expected a table [tool.stem.build]")
    assert [line.partition(":")[0].strip(" =") for line in result.stderr.splitlines()[1:]] == ["found", "help"]


def test_a_missing_extra_is_named_with_its_install_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_libcst(name: str) -> ModuleSpec | None:
        return None if name == "libcst" else ModuleSpec(name, None)

    monkeypatch.setattr(cli, "find_spec", without_libcst)
    result = run("gen")
    assert result.exit_code == 2
    assert "no package libcst" in result.stderr
    assert "pip install 'stem-jobs[build]'" in result.stderr


def test_explain_prints_a_rule(project: Path) -> None:
    result = run("explain", "STL101")
    assert result.exit_code == 0
    assert result.stdout.startswith("STL101")


def test_explain_of_no_rule_is_an_error(project: Path) -> None:
    result = run("explain", "STL1O1")
    assert result.exit_code == 2
    assert "STL1O1" in result.stderr


def test_init_then_gen_then_check_is_all_a_new_project_needs(project: Path) -> None:
    (project / "pyproject.toml").write_text("")
    result = run("init")
    assert result.exit_code == 0
    assert "changed pyproject.toml" in result.stderr
    assert "extend-exclude" in result.stderr
    assert run().exit_code == 0
    assert run("check").exit_code == 0


def test_a_typing_mistake_is_a_usage_error(project: Path) -> None:
    assert run("chekc").exit_code == 2
    assert not definitions(project).exists()


def test_help_names_the_commands_that_exist() -> None:
    assert isinstance(main, click.Group)
    assert sorted(main.commands) == ["check", "explain", "gen", "init"]
    assert "gen" in run("--help").stdout


def test_it_runs_as_a_module(project: Path) -> None:
    command = [sys.executable, "-m", "stem_builder", "check"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Run: stem-build gen" in done.stderr
