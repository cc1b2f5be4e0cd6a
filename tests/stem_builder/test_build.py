"""Each folder of tests/cases is a project: what is built from `input` is, to the byte, what stands in `expected`.

`STEM_UPDATE_CASES=1` writes `expected` anew, for a reviewer to read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stem_builder.build import build
from stem_builder.config import load_config
from stem_builder.diagnostics import Format, project_lines, render
from stem_builder.write import write_files

REPOSITORY = Path(__file__).parents[2]
CASES = REPOSITORY / "tests" / "cases"
NAMES = sorted(path.name for path in CASES.iterdir() if (path / "input").is_dir())
GENERATED = [name for name in NAMES if (CASES / name / "expected" / "stem.lock.json").exists()]


def run_case(name: str, workspace: Path) -> dict[str, str]:
    """Every file that a build adds to the input, and what it says."""
    project = workspace / name
    shutil.copytree(CASES / name / "input", project)
    before = set(files(project))
    config = load_config(project)
    result = build(config, version="0.1.0")
    write_files(result.files)
    made = {path: text for path, text in files(project).items() if path not in before}
    said = render(result.diagnostics, form=Format.FULL, lines=project_lines(config.project))
    return made | {"diagnostics.txt": said} if said else made


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def update(name: str, made: dict[str, str]) -> None:
    expected = CASES / name / "expected"
    shutil.rmtree(expected, ignore_errors=True)
    expected.mkdir()
    write_files({expected / path: text for path, text in made.items()})


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_built_as_expected(name: str, tmp_path: Path) -> None:
    made = run_case(name, tmp_path)
    if os.environ.get("STEM_UPDATE_CASES"):
        update(name, made)
    assert made == files(CASES / name / "expected")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases with output, as one tree: each input with what is expected of it."""
    root = tmp_path_factory.mktemp("workspace")
    for name in GENERATED:
        for part in ("input", "expected"):
            source = CASES / name / part
            shutil.copytree(source / "src" if (source / "src").is_dir() else source, root, dirs_exist_ok=True)
    for leftover in ("pyproject.toml", "stem.lock.json", "diagnostics.txt"):
        (root / leftover).unlink(missing_ok=True)
    return root


def outputs(root: Path) -> list[str]:
    return sorted(str(path) for path in root.glob("**/_stem/*.py"))


def passes(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_code_is_clean_under_mypy_strict(workspace: Path) -> None:
    (workspace / "mypy.ini").write_text(f"[mypy]\nstrict = true\nmypy_path = {REPOSITORY}\npython_version = 3.11\n")
    passes([sys.executable, "-m", "mypy", "--config-file", "mypy.ini", *outputs(workspace)], workspace)


def test_generated_code_is_clean_under_pyright_strict(workspace: Path) -> None:
    settings = '{"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["**/_stem"], "extraPaths": ["%s"]}'
    (workspace / "pyrightconfig.json").write_text(settings % REPOSITORY)
    passes([sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", "."], workspace)


def test_generated_code_is_clean_under_ruff(workspace: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    passes([*ruff, "check", "--isolated", "--no-cache", *outputs(workspace)], workspace)
    passes([*ruff, "format", "--isolated", "--no-cache", "--check", *outputs(workspace)], workspace)


WRITE = """
import sys
from pathlib import Path
from stem_builder.build import build
from stem_builder.config import load_config
from stem_builder.write import write_files
write_files(build(load_config(Path(sys.argv[1])), version="0.1.0").files)
"""


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_output_does_not_depend_on_the_hash_seed(seed: str, tmp_path: Path) -> None:
    for name in ("annotations_", "clashes"):
        shutil.copytree(CASES / name / "input", tmp_path / name)
        command = [sys.executable, "-c", WRITE, str(tmp_path / name)]
        subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
        found, expected = files(tmp_path / name), files(CASES / name / "expected")
        assert {path: found[path] for path in expected} == expected


def test_importing_definitions_loads_neither_handlers_nor_models(workspace: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); import handlers._stem.definitions as d; d.charge.name\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('handlers', 'pydantic', 'aiosqlite')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=workspace, capture_output=True, text=True, check=True)
    assert done.stdout == "['handlers', 'handlers._stem', 'handlers._stem.definitions']\n"


def test_the_registry_of_a_built_package_can_be_imported(workspace: Path) -> None:
    packages = [Path(path).parts[-3] for path in outputs(workspace) if path.endswith("registry.py")]
    code = "import sys; sys.path.insert(0, '.')\n" + "\n".join(
        f"from {package}._stem.registry import registry; print(registry.contract)" for package in packages
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=workspace, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.count("sha256:") == len(packages)


def test_every_annotation_of_a_definition_can_be_evaluated_when_it_is_needed(workspace: Path) -> None:
    packages = [Path(path).parts[-3] for path in outputs(workspace) if path.endswith("definitions.py")]
    code = "\n".join(
        [
            "import importlib, sys; sys.path.insert(0, '.')",
            f"for package in {packages}:",
            "    module = importlib.import_module(package + '._stem.definitions')",
            "    for name in module.__all__:",
            "        assert getattr(module, name).arguments and getattr(module, name).results",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=workspace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
