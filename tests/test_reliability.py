"""The page of reliability names tests that exist, and every scenario that is a test of ours is on it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from tests.pages import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what happens |")]
NAMED = set(re.findall(r"`(test_\w+)`", PAGE))
SCENARIOS = ROOT / "tests" / "scenarios"
LISTED_BY_FILE = ("test_redis_", "test_postgres_", "test_sqlite_", "test_bad_input", "test_random_", "test_crash_")
"""Those of one engine, and those that try what chance or a list gives them: the page speaks of them as of one."""
ELSEWHERE = {"test_a_group_of_10000_members_takes_a_bounded_number_of_calls"}
"""In the suite that every engine passes."""


def names_in(paths: Iterable[Path]) -> set[str]:
    """The names of all tests in these files."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    return {function.name for function in functions if function.name.startswith("test_")}


def test_every_test_that_the_page_names_exists() -> None:
    suite = names_in((ROOT / "stem" / "testing" / "contracts").glob("*.py"))
    assert suite >= ELSEWHERE
    assert NAMED - names_in(SCENARIOS.glob("test_*.py")) - ELSEWHERE == set()


def test_every_row_says_what_holds_and_where_and_names_a_test() -> None:
    assert len(ROWS) > 40
    assert [row for row in ROWS if row.count(" | ") != 3 or "`test_" not in row.rsplit(" | ", 1)[1]] == []


def test_every_scenario_that_processes_and_clocks_play_is_on_the_page() -> None:
    files = [path for path in SCENARIOS.glob("test_*.py") if not path.name.startswith(LISTED_BY_FILE)]
    assert names_in(files) - NAMED == set()
