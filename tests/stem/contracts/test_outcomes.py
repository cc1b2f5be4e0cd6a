"""The outcome that stands when a result is too large."""

from stem.contracts.outcomes import Outcome, fitting
from stem.tasks.state import TaskState

OUTCOME = Outcome(task_id="a", generation=2, state=TaskState.SUCCEEDED, result=b"12345", by="w")


def test_an_outcome_that_fits_stands_as_it_is() -> None:
    assert fitting(OUTCOME, 5) is OUTCOME


def test_in_the_place_of_one_that_is_too_large_stands_a_failure_of_the_same_generation() -> None:
    stands = fitting(OUTCOME, 4)
    assert (stands.task_id, stands.generation, stands.by) == ("a", 2, "w")
    assert (stands.state, stands.result) == (TaskState.FAILED, None)
    assert stands.error is not None
    assert stands.error.kind == "ResultRefused"
