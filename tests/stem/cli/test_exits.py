"""Every error has its exit code."""

from __future__ import annotations

import pytest

from stem.cli.exits import Exit, exit_of, lines_of
from stem.errors import (
    ConfigError,
    InvalidArguments,
    PayloadTooLarge,
    SchemaMismatch,
    StemError,
    StoreUnavailable,
    TaskFailed,
    UnknownId,
    UnknownTask,
    WaitTimeout,
)


def an(kind: type[StemError]) -> StemError:
    return kind(expected="this", found="that", do="Do so.")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ConfigError, 2),
        (InvalidArguments, 2),
        (UnknownTask, 3),
        (UnknownId, 3),
        (StoreUnavailable, 4),
        (SchemaMismatch, 4),
        (WaitTimeout, 124),
        (TaskFailed, 1),
        (PayloadTooLarge, 1),
    ],
)
def test_an_error_ends_in_the_code_of_its_kind(kind: type[StemError], code: int) -> None:
    assert exit_of(an(kind)) == code


def test_the_code_for_a_refusal_without_yes_is_five() -> None:
    assert int(Exit.REFUSED) == 5


def test_an_error_is_told_in_three_lines() -> None:
    assert lines_of(an(ConfigError)) == ["error[STEM-E001]: expected this", "  found: that", "  do:    Do so."]
