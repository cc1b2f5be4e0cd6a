"""What must not stand in the source: work left for later, and silenced checks without a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.pages import ROOT

LATER = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
SILENCED = re.compile(r"#\s*(?:" + "|".join(["no" + "qa", "type: " + "ignore", "pyright: " + "ignore"]) + ")")
WITH_REASON = re.compile(
    r"#\s*(?:no"
    r"qa: [A-Z]+\d+\b(?:, ?[A-Z]+\d+\b)*|(?:type|pyright): "
    r"ignore\[[\w, -]+\])\s*(?:[-#]|[^\s\[]).*\w"
)
GENERATED = "_stem"


def lines() -> Iterator[tuple[str, str]]:
    """Every line of Python that a person wrote, with its place."""
    for top in ("stem", "stem_builder", "tests", "examples", "benchmarks", "noxfile.py"):
        for path in _files(ROOT / top):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                yield f"{path.relative_to(ROOT)}:{number}", line


def _files(top: Path) -> list[Path]:
    found = [top] if top.is_file() else sorted(top.rglob("*.py"))
    return [path for path in found if GENERATED not in path.parts and "cases" not in path.parts]


def test_no_work_is_left_for_later() -> None:
    assert [place for place, line in lines() if LATER.search(line)] == []


def test_every_silenced_check_names_its_rule_and_its_reason() -> None:
    assert [place for place, line in lines() if SILENCED.search(line) and not WITH_REASON.search(line)] == []


def test_a_rule_alone_is_no_reason() -> None:
    bare = ["x  # no" + "qa: S608", "x  # no" + "qa", "x  # type: " + "ignore[arg-type]", "x  # type: " + "ignore"]
    assert [line for line in bare if not SILENCED.search(line) or WITH_REASON.search(line)] == []
    assert WITH_REASON.search(bare[0] + " - the names are ours")
    assert WITH_REASON.search(bare[2] + "  # untyped there")
