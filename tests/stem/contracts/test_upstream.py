"""What those are told whom the end of something else ends."""

from stem.contracts.upstream import GROUP_CLOSED, REMOVED, UPSTREAM_FAILED, group_closed, upstream_failed
from stem.tasks.links import After, GroupState
from stem.tasks.state import TaskState


def test_a_continuation_is_told_what_it_waited_for_and_where_that_is() -> None:
    task = upstream_failed(After("a"), TaskState.FAILED.value)
    group = upstream_failed(After("g", "group"), GroupState.UNMET.value)
    assert (task.kind, task.message) == (UPSTREAM_FAILED, f"task a is {TaskState.FAILED.value}")
    assert (group.kind, group.message) == (UPSTREAM_FAILED, f"group g is {GroupState.UNMET.value}")


def test_what_waited_for_something_that_was_removed_is_told_so() -> None:
    assert upstream_failed(After("g", "group"), REMOVED).message == "group g is removed"


def test_a_member_is_told_which_group_has_its_answer() -> None:
    error = group_closed("g")
    assert error.kind == GROUP_CLOSED
    assert "group g " in error.message
