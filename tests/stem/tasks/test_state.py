"""The table of states, and what is derived from it."""

import pytest

from stem.errors import InvalidTransition
from stem.tasks.state import (
    LIVE,
    TERMINAL,
    TRANSITIONS,
    WAITING,
    TaskEvent,
    TaskState,
    advance,
    allowed_from,
    diagram,
    outcome_state,
)

PAIRS = [(state, event) for state in TaskState for event in TaskEvent]


def test_every_state_is_live_or_terminal_and_all_live_ones_but_running_wait() -> None:
    assert set(TaskState) == LIVE | TERMINAL
    assert not LIVE & TERMINAL
    assert WAITING | {TaskState.RUNNING} == LIVE


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda member: member.name.lower())
def test_advance_follows_the_table_and_refuses_the_rest(state: TaskState, event: TaskEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(InvalidTransition) as caught:
        advance(state, event)
    assert event.value in caught.value.expected
    assert state.value in caught.value.found


@pytest.mark.parametrize("event", TaskEvent)
def test_allowed_from_is_the_set_of_states_in_which_an_event_may_happen(event: TaskEvent) -> None:
    assert allowed_from(event) == {state for state in TaskState if (state, event) in TRANSITIONS}


@pytest.mark.parametrize("state", [state for state in TaskState if state in TERMINAL])
def test_nothing_but_a_replay_leaves_a_terminal_state(state: TaskState) -> None:
    moves = {event for event in TaskEvent if TRANSITIONS.get((state, event), state) is not state}
    assert moves <= {TaskEvent.REPLAYED}
    assert state.is_terminal


def test_what_has_succeeded_is_never_replayed() -> None:
    assert allowed_from(TaskEvent.REPLAYED) == TERMINAL - {TaskState.SUCCEEDED}


def test_only_a_running_task_gets_an_outcome() -> None:
    outcomes = (TaskEvent.SUCCEEDED, TaskEvent.FAILED, TaskEvent.EXPIRED, TaskEvent.CANCELLED, TaskEvent.BURIED)
    assert {allowed_from(event) for event in outcomes} == {frozenset({TaskState.RUNNING})}
    assert {outcome_state(event) for event in outcomes} == TERMINAL


def test_a_cancel_request_is_answered_in_every_state() -> None:
    assert allowed_from(TaskEvent.CANCEL_REQUESTED) == set(TaskState)


def test_every_state_can_be_reached_from_a_queued_task() -> None:
    reached = {TaskState.QUEUED}
    for _ in TaskState:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(TaskState)


def test_the_diagram_shows_every_move() -> None:
    moves = {(before, after) for (before, _), after in TRANSITIONS.items() if before is not after}
    text = diagram()
    assert text.startswith("stateDiagram-v2\n")
    assert all(f"{before.value} --> {after.value}: " in text for before, after in moves)
