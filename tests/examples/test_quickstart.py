"""The ten lines: they run, they print a typed result, and what they leave behind is named in .gitignore."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def quickstart(folder: Path) -> str:
    command = [sys.executable, str(ROOT / "examples" / "quickstart.py")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_quickstart_prints_its_result(tmp_path: Path) -> None:
    assert quickstart(tmp_path) == "*****HELLO ADA!*****\n"


def test_the_quickstart_runs_again_on_its_own_database(tmp_path: Path) -> None:
    assert quickstart(tmp_path) == quickstart(tmp_path)


def test_whatever_the_quickstart_leaves_behind_is_ignored_by_git(tmp_path: Path) -> None:
    quickstart(tmp_path)
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    left = [path.name for path in tmp_path.iterdir()]
    assert [name for name in left if not any(fnmatch(name, pattern) for pattern in ignored)] == []
