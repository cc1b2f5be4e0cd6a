"""The page of the contract's cases names tests that exist, and every part of the suite has its place in the whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.pages import ROOT

PAGE = (ROOT / "docs" / "contract-cases.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and line != "| case | here |"]


def existing() -> Iterator[str]:
    """The names of all tests, of the public suite and of the project."""
    for folder in (ROOT / "stem" / "testing", ROOT / "tests"):
        for path in folder.rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield from (n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named - set(existing()) == set()


def test_every_case_of_the_page_has_a_test() -> None:
    assert len(ROWS) > 50
    assert [row for row in ROWS if "`test_" not in row] == []
