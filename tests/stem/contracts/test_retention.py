"""How long a record outlives its end."""

import pytest

from stem.clock import Micros
from stem.contracts.retention import KEEP_AT_LEAST, Retention
from stem.tasks.state import TERMINAL, TaskState

DAY: Micros = 86_400_000_000
CHOSEN = Retention(succeeded=1 * DAY, failed=2 * DAY, cancelled=3 * DAY, expired=4 * DAY, dead=5 * DAY)


@pytest.mark.parametrize("state", sorted(TERMINAL, key=str), ids=str)
def test_where_nothing_was_chosen_a_record_is_kept_for_twice_the_time_of_its_result(state: TaskState) -> None:
    assert Retention().keep_for(state, DAY, dead=False) == 2 * DAY


@pytest.mark.parametrize("state", sorted(TERMINAL, key=str), ids=str)
def test_no_record_goes_before_changes_can_no_longer_be_sent_again(state: TaskState) -> None:
    nothing = Retention(succeeded=0, failed=0, cancelled=0, expired=0, dead=0)
    assert nothing.keep_for(state, DAY, dead=True) == KEEP_AT_LEAST == 60_000_000
    assert Retention().keep_for(state, 0, dead=False) == KEEP_AT_LEAST


def test_each_state_is_kept_as_long_as_was_chosen_for_it() -> None:
    states = (TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.EXPIRED)
    assert [CHOSEN.keep_for(state, 9 * DAY, dead=False) // DAY for state in states] == [1, 2, 3, 4]


def test_a_dead_letter_waits_for_30_days_or_longer_when_another_failed_task_would() -> None:
    assert Retention().keep_for(TaskState.FAILED, 0, dead=True) == 30 * DAY
    assert Retention().keep_for(TaskState.FAILED, 20 * DAY, dead=True) == 40 * DAY
    assert CHOSEN.keep_for(TaskState.FAILED, 0, dead=True) == 5 * DAY


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize("retention", [Retention(), CHOSEN], ids=["nothing chosen", "all chosen"])
def test_the_terms_are_the_same_rule_as_two_numbers(retention: Retention, dead: bool) -> None:
    for state in TERMINAL:
        times, least = retention.terms(state, dead=dead)
        assert all(max(times * ttl, least) == retention.keep_for(state, ttl, dead=dead) for ttl in (0, DAY, 99 * DAY))
