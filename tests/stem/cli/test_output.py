"""Answers are tabs for pipes and JSON for programs; stderr has the talk."""

from __future__ import annotations

import json

import click
import pytest

from stem.cli.output import Output

ROWS: list[dict[str, object]] = [
    {"id": "a", "note": "all\twell\x1b[31m", "n": 3},
    {"id": "b", "note": None, "n": None},
]


def test_piped_rows_are_lines_of_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows("jobs", ("id", "n", "note"), ROWS)
    assert capsys.readouterr().out.splitlines() == ["id\tn\tnote", "a\t3\tall well [31m", "b\t-\t-"]


def test_json_rows_are_one_object_with_what_stands_beside_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).rows("jobs", ("id",), ROWS, next="b")
    assert json.loads(capsys.readouterr().out) == {"jobs": ROWS, "next": "b"}


def test_an_empty_list_is_talk_and_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows("jobs", ("id",), [])
    assert capsys.readouterr() == ("", "no jobs\n")


def test_an_empty_list_is_an_empty_list_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).rows("jobs", ("id",), [])
    assert json.loads(capsys.readouterr().out) == {"jobs": []}


def test_a_record_leaves_out_what_is_empty_and_indents_further_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Output().record({"id": "a", "error": "one\ntwo", "worker": None, "tags": []})
    assert capsys.readouterr().out.splitlines() == ["id     a", "error  one", "       two"]


def test_a_record_in_json_keeps_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).record({"id": "a", "worker": None})
    assert json.loads(capsys.readouterr().out) == {"id": "a", "worker": None}


def test_a_terminal_gets_a_table_of_the_columns_that_say_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("stem.cli.output.sys.stdout.isatty", lambda: True)
    Output().rows("jobs", ("id", "note", "n"), [{"id": "a", "note": "[bold]hostile[/bold]", "n": 0}])
    head, row = click.unstyle(capsys.readouterr().out).splitlines()
    assert (head.split(), row.split()) == (["id", "note"], ["a", "[bold]hostile[/bold]"])
