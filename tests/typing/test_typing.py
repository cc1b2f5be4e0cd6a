"""The typed path, judged by both type checkers over a package that was generated just now."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stem_builder.build import build
from stem_builder.config import load_config
from stem_builder.write import write_files

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
MYPY = f"[mypy]\nstrict = true\npython_version = 3.11\nmypy_path = {REPOSITORY}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("typing") / "project"
    shutil.copytree(HERE / "project", root)
    result = build(load_config(root))
    assert result.diagnostics == ()
    write_files(result.files)
    (root / "mypy.ini").write_text(MYPY)
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(REPOSITORY)],
        "reportUnusedExpression": False,  # bad.py holds bare expressions on purpose
    }
    (root / "pyrightconfig.json").write_text(json.dumps(settings))
    return root


@pytest.fixture(scope="module")
def mypy(project: Path) -> list[tuple[str, int, str]]:
    """Every error of mypy: file, line, text."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "good.py", "bad.py", "shop"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert not done.stderr
    found = re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    return [(file, int(line), text) for file, line, text in found]


@pytest.fixture(scope="module")
def pyright(project: Path) -> list[tuple[str, int, str]]:
    """Every error of pyright: file, line, text."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", "."]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    errors = [one for one in found if one["severity"] == "error"]
    return [(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"]) for one in errors]


def marked() -> dict[int, str]:
    """The lines of bad.py that carry a mark, with their marks."""
    lines = (HERE / "project" / "bad.py").read_text().splitlines()
    return {number: found[1] for number, line in enumerate(lines, 1) if (found := re.search(r"# (B\d\d) ", line))}


def test_the_marks_are_those_of_the_features_that_exist() -> None:
    agreed = ["B01", "B02", "B03", "B04", "B05", "B06", "B11", "B12", "B15", "B16"]
    assert list(marked().values()) == [
        *(*agreed, "B21", "B22", "B23", "B30", "B31"),
        *("B24", "B25", "B26", "B27", "B28", "B29"),
    ]


def test_mypy_accepts_the_package_and_every_right_use(mypy: list[tuple[str, int, str]]) -> None:
    assert [error for error in mypy if error[0] != "bad.py"] == []


def test_mypy_gives_one_error_for_each_wrong_use(mypy: list[tuple[str, int, str]]) -> None:
    assert Counter(line for file, line, _ in mypy if file == "bad.py") == Counter(marked().keys())


def test_pyright_accepts_the_package_and_every_right_use(pyright: list[tuple[str, int, str]]) -> None:
    assert [error for error in pyright if error[0] != "bad.py"] == []


def test_pyright_rejects_each_wrong_use_and_nothing_else(pyright: list[tuple[str, int, str]]) -> None:
    assert {line for file, line, _ in pyright if file == "bad.py"} == marked().keys()


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("B01", 'expected "ChargeOrder"'),
        ("B02", 'Missing positional argument "order"'),
        ("B05", '"Receipt" has no attribute "message_id"'),
        ("B11", 'did you mean "queue"?'),
    ],
)
def test_the_message_says_what_is_wrong(mypy: list[tuple[str, int, str]], mark: str, text: str) -> None:
    line = next(line for line, found in marked().items() if found == mark)
    assert text in next(message for file, number, message in mypy if (file, number) == ("bad.py", line))


def test_importing_the_definitions_loads_no_handler_no_model_and_no_library(project: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "import shop._stem.definitions as d; assert d.charge.name == 'billing.charge'\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in ('shop', 'pydantic', 'aiosqlite')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["shop", "shop._stem", "shop._stem.definitions"]
