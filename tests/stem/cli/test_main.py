"""The frame of the command line: help, usage and errors."""

from __future__ import annotations

import importlib.metadata

import click
import pytest

from stem.cli import main as frame
from stem.cli.main import cli, main
from stem.errors import StoreUnavailable


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    code = exited.value.code
    assert isinstance(code, int)
    return code


def names() -> list[str]:
    return cli.list_commands(click.Context(cli))


def test_help_names_every_command_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == 0
    shown = capsys.readouterr().out
    assert [name for name in names() if f"  {name} " not in shown] == []


@pytest.mark.parametrize("name", names())
def test_every_command_of_the_table_is_there_and_has_the_help_of_the_table(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize("name", names())
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(name, "--help") == 0
    assert "Usage: stem" in capsys.readouterr().out


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert capsys.readouterr().out.strip() == f"stem, version {importlib.metadata.version('stem-jobs')}"


@pytest.mark.parametrize("arguments", [("no-such-command",), ("jobs", "ls", "--no-such-option"), ("jobs", "show")])
def test_wrong_usage_ends_in_two_and_says_what_is_wrong(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments) == 2
    assert "Error: " in capsys.readouterr().err


def test_an_error_is_told_on_stderr_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable(expected="an answer", found="silence", do="Start the store.")

    monkeypatch.setattr(frame.cli, "main", fail)
    assert exit_code("health") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "error[STEM-E031]: expected an answer",
        "  found: silence",
        "  do:    Start the store.",
    ]


def test_an_interrupt_ends_in_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(frame.cli, "main", interrupted)
    assert exit_code("health") == 130
