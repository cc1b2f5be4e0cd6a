"""Problems are shown with their source line and a caret, in one stable order, in three forms."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from stem_builder.diagnostics import (
    Diagnostic,
    Format,
    Severity,
    has_errors,
    ordered,
    project_lines,
    render,
    summary,
)
from stem_builder.model import Place

SOURCE = ["import x", "@task", "def run(\tv: Gone) -> None: ..."]
FOUND = Diagnostic(
    "STL102", Severity.ERROR, Place("shop/t.py", 3, 13, 3, 17), "cannot resolve `Gone`", "no such name", "import it"
)
WARNED = Diagnostic("STL104", Severity.WARNING, Place("shop/a.py", 1, 1, 1, 1), "loose")


def lines(path: str) -> list[str]:
    return SOURCE if path == "shop/t.py" else []


def test_the_full_form_shows_line_caret_note_and_help() -> None:
    assert render([FOUND], form=Format.FULL, lines=lines) == (
        "error[STL102]: cannot resolve `Gone`\n"
        "  --> shop/t.py:3:13\n"
        "3 | def run(\tv: Gone) -> None: ...\n"
        "  |         \t   ^^^^ no such name\n"
        "   = help: import it\n"
    )


def test_a_problem_over_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    found = Diagnostic("STL101", Severity.ERROR, Place("shop/t.py", 2, 1, 3, 5), "m")
    assert "2 | @task\n  | ^^^^^\n" in render([found], form=Format.FULL, lines=lines)


@pytest.mark.parametrize("place", [None, Place("gone.py", 1, 1, 1, 1)])
def test_the_note_stands_alone_where_there_is_no_line_to_show(place: Place | None) -> None:
    text = render([Diagnostic("STL117", Severity.ERROR, place, "m", "why", "do")], form=Format.FULL, lines=lines)
    where = "" if place is None else "  --> gone.py:1:1\n"
    assert text == f"error[STL117]: m\n{where}   = note: why\n   = help: do\n"


def test_the_concise_form_is_one_line_each_in_order() -> None:
    assert render([FOUND, WARNED], form=Format.CONCISE, lines=lines) == (
        "shop/a.py:1:1: warning[STL104]: loose\nshop/t.py:3:13: error[STL102]: cannot resolve `Gone`\n"
    )


def test_the_json_form_is_a_list_of_flat_objects() -> None:
    first, second = json.loads(render([FOUND, WARNED], form=Format.JSON, lines=lines))
    assert (first["rule"], first["severity"], second["note"]) == ("STL104", "warning", "no such name")
    assert [second[key] for key in ("path", "line", "column", "end_line", "end_column")] == ["shop/t.py", 3, 13, 3, 17]
    assert render([], form=Format.JSON, lines=lines) == "[]\n"


def test_nothing_found_is_no_text() -> None:
    assert render([], form=Format.FULL, lines=lines) == ""


def test_the_order_does_not_depend_on_the_order_of_finding_and_each_stands_once() -> None:
    places = [Place(path, line, column, line, column) for path in "ba" for line in (2, 10) for column in (1, 9)]
    found = [Diagnostic(code, Severity.ERROR, place, "m") for place in places for code in ("STL2", "STL1")]
    shuffled = found + found
    Random(7).shuffle(shuffled)
    assert ordered(shuffled) == ordered(found)
    assert [one.place.path for one in ordered(found) if one.place] == ["a"] * 8 + ["b"] * 8


@pytest.mark.parametrize(
    ("found", "text", "errors"),
    [
        ([], "no problems", False),
        ([WARNED], "1 warning", False),
        ([FOUND, FOUND, WARNED], "2 errors, 1 warning", True),
    ],
)
def test_the_summary_counts(found: list[Diagnostic], text: str, errors: bool) -> None:
    assert (summary(found), has_errors(found)) == (text, errors)


def test_source_lines_are_read_from_the_project_and_a_missing_file_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n", encoding="utf-8")
    read = project_lines(tmp_path)
    assert (list(read("a.py")), list(read("b.py"))) == (["one", "two"], [])
