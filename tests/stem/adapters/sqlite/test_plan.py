"""How a batch is cut into waves."""

from __future__ import annotations

import pytest

from stem.adapters.sqlite.plan import Kind, is_one_statement, kind_of, waves
from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Fence,
    Park,
    Release,
    Replay,
    Report,
    Reschedule,
    UniqueKey,
    Write,
)
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.build import START, SUCCESS, publish

ERROR = Failure("E", "m")
A, B = Fence("a", 1, "n"), Fence("b", 1, "n")


def plan(*changes: Change) -> list[dict[Kind, list[int]]]:
    return [wave.members for wave in waves(list(enumerate(changes)))]


@pytest.mark.parametrize(
    ("write", "fence", "kind"),
    [
        pytest.param(publish(), None, Kind.PUBLISH, id="publish"),
        pytest.param(publish(unique=UniqueKey("k")), None, Kind.ALONE, id="unique publish"),
        pytest.param(publish(), A, Kind.ALONE, id="fenced publish"),
        pytest.param(START, A, Kind.START, id="start"),
        pytest.param(Report(Progress(1, 1.0)), A, Kind.REPORT, id="report"),
        pytest.param(SUCCESS, A, Kind.CONSUME, id="settle"),
        pytest.param(Reschedule(1, ERROR), A, Kind.CONSUME, id="reschedule"),
        pytest.param(Release(), A, Kind.CONSUME, id="release"),
        pytest.param(Bury("why"), A, Kind.CONSUME, id="bury"),
        pytest.param(Park("why", "f", 1), A, Kind.ALONE, id="park"),
        pytest.param(Cancel("a"), None, Kind.ALONE, id="cancel"),
        pytest.param(Replay("a"), None, Kind.ALONE, id="replay"),
    ],
)
def test_each_change_has_its_statement(write: Write, fence: Fence | None, kind: Kind) -> None:
    assert kind_of(Change((write,), fence)) is kind


def test_changes_of_different_tasks_are_one_wave() -> None:
    changes = [Change((publish(),)), Change((SUCCESS,), A), Change((START,), B), Change((publish(),))]
    assert plan(*changes) == [{Kind.PUBLISH: [0, 3], Kind.CONSUME: [1], Kind.START: [2]}]


def test_changes_of_one_task_are_in_waves_one_after_the_other() -> None:
    changes = [Change((START,), A), Change((SUCCESS,), A), Change((START,), B), Change((SUCCESS,), B)]
    assert plan(*changes) == [{Kind.START: [0, 2]}, {Kind.CONSUME: [1, 3]}]


def test_the_same_publish_twice_is_in_two_waves() -> None:
    twice = Change((publish(),))
    assert plan(twice, twice) == [{Kind.PUBLISH: [0]}, {Kind.PUBLISH: [1]}]


def test_nothing_moves_across_a_change_that_is_done_alone() -> None:
    changes = [Change((SUCCESS,), A), Change((publish(unique=UniqueKey("k")),)), Change((SUCCESS,), B)]
    assert plan(*changes) == [{Kind.CONSUME: [0]}, {Kind.ALONE: [1]}, {Kind.CONSUME: [2]}]


@pytest.mark.parametrize(
    ("changes", "one"),
    [
        pytest.param([Change((publish(),)), Change((publish(),))], True, id="publishes"),
        pytest.param([Change((SUCCESS,), A), Change((Bury("why"),), B)], True, id="final ends"),
        pytest.param([Change((SUCCESS,), A), Change((Release(),), B)], False, id="an end that is not final"),
        pytest.param([Change((SUCCESS,), A), Change((publish(),))], False, id="two kinds"),
        pytest.param([Change((SUCCESS,), A), Change((SUCCESS,), A)], False, id="two waves"),
        pytest.param([Change((Cancel("a"),))], False, id="alone"),
    ],
)
def test_only_what_one_statement_does_goes_without_a_transaction(changes: list[Change], one: bool) -> None:
    numbered = list(enumerate(changes))
    assert is_one_statement(waves(numbered), dict(numbered)) is one
