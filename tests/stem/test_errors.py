"""The error tree."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

import stem.errors
from stem.errors import ConfigError, DuplicateTask, StemError, TaskFailed


def classes(root: type[StemError] = StemError) -> list[type[StemError]]:
    return [root, *(found for child in root.__subclasses__() for found in classes(child))]


OURS = [kind for kind in classes() if kind.__module__.startswith("stem.errors")]


def made(kind: type[StemError]) -> StemError:
    return kind(expected="a", found="b", do="C.")


def test_codes_are_stable_in_form_and_belong_to_one_error_each() -> None:
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"STEM-E\d{3}", code) for code in codes)


def test_every_error_is_exported() -> None:
    assert {kind.__name__ for kind in OURS} == set(stem.errors.__all__)


def test_the_tree_at_the_top_of_the_file_is_the_tree_of_the_classes() -> None:
    drawn = dict(re.findall(r"(\w+) +(E\d{3})", stem.errors.__doc__ or ""))
    assert drawn == {kind.__name__: kind.code.removeprefix("STEM-") for kind in OURS if kind is not StemError}


@pytest.mark.parametrize("kind", OURS)
def test_every_error_says_what_it_means_when_it_is_caught(kind: type[StemError]) -> None:
    assert (kind.__doc__ or "").strip()


@pytest.mark.parametrize("kind", OURS)
def test_every_error_says_what_was_expected_what_was_found_and_what_to_do(kind: type[StemError]) -> None:
    error = made(kind)
    assert str(error) == f"[{kind.code}] expected a; found b. C."
    assert (error.expected, error.found, error.do) == ("a", "b", "C.")


@pytest.mark.parametrize("kind", OURS)
def test_every_error_can_be_copied_and_sent_to_another_process(kind: type[StemError]) -> None:
    for again in (copy.copy(made(kind)), pickle.loads(pickle.dumps(made(kind)))):
        assert type(again) is kind
        assert str(again) == str(made(kind))


def test_what_an_error_carries_beside_its_text_is_copied_too() -> None:
    failed = TaskFailed(expected="a", found="b", do="C.", kind="ValueError", message="no", traceback="...")
    again = pickle.loads(pickle.dumps(failed))
    assert (again.kind, again.message, again.traceback) == ("ValueError", "no", "...")
    double = copy.copy(DuplicateTask(expected="a", found="b", do="C.", holder="id"))
    assert double.holder == "id"


def test_an_error_is_caught_by_its_family() -> None:
    with pytest.raises(StemError, match=re.escape("[STEM-E001]")):
        raise ConfigError(expected="a", found="b", do="C.")
