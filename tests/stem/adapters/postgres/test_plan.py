"""How a batch is cut."""

from __future__ import annotations

from stem.adapters.postgres.plan import Kind, waves
from stem.contracts.changes import (
    Cancel,
    Change,
    Fence,
    OpenGroup,
    Publish,
    Release,
    Report,
    SealGroup,
    Settle,
    Start,
    UniqueKey,
    Write,
)
from stem.tasks.links import After, Member
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskEvent
from stem.tasks.status import Progress
from stem.testing.contracts import publish

START = Start(Backoff(1, 1.0, 1, 0.0))
END = Settle(TaskEvent.SUCCEEDED)


def fence(task: str) -> Fence:
    return Fence(task, 1, "n")


def cut(*changes: Change) -> list[dict[Kind, list[int]]]:
    return [wave.members for wave in waves(list(enumerate(changes)))]


def unique(key: str) -> Publish:
    return publish(unique=UniqueKey(key))


def test_changes_of_different_tasks_are_one_wave() -> None:
    changes = [Change((END,), fence("a")), Change((Release(),), fence("b")), Change((publish(),))]
    assert cut(*changes) == [{Kind.CONSUME: [0, 1], Kind.PUBLISH: [2]}]


def test_a_task_that_occurs_again_comes_in_a_later_wave() -> None:
    changes = [
        Change((START,), fence("a")),
        Change((Report(Progress(1, 1.0)),), fence("a")),
        Change((END,), fence("a")),
        Change((START,), fence("b")),
    ]
    assert cut(*changes) == [{Kind.START: [0, 3]}, {Kind.REPORT: [1]}, {Kind.CONSUME: [2]}]


def test_nothing_moves_across_a_change_that_is_done_alone() -> None:
    changes = [Change((publish(),)), Change((Cancel("x"),)), Change((publish(),))]
    assert cut(*changes) == [{Kind.PUBLISH: [0]}, {Kind.ALONE: [1]}, {Kind.PUBLISH: [2]}]


def test_several_publishes_of_one_change_are_one_statement() -> None:
    assert cut(Change((publish(), publish()))) == [{Kind.PUBLISH: [0]}]


def test_neighbours_that_take_different_keys_are_done_together() -> None:
    changes = [Change((unique("a"),)), Change((unique("b"),)), Change((unique("a"),)), Change((unique("c"),))]
    assert cut(*changes) == [{Kind.UNIQUE: [0, 1]}, {Kind.UNIQUE: [2, 3]}]


def test_a_unique_key_is_never_taken_together_with_fenced_changes() -> None:
    changes = [Change((END,), fence("a")), Change((unique("a"),)), Change((END,), fence("b"))]
    assert cut(*changes) == [{Kind.CONSUME: [0]}, {Kind.UNIQUE: [1]}, {Kind.CONSUME: [2]}]


def test_a_key_that_is_named_like_a_task_is_another_thing() -> None:
    task = publish(id="same", unique=UniqueKey("other"))
    assert cut(Change((unique("same"),)), Change((task,))) == [{Kind.UNIQUE: [0, 1]}]


def test_messages_with_links_share_a_wave_with_the_groups_and_tasks_that_they_are_about() -> None:
    first, group = publish(), OpenGroup(group="g", size=1)
    second = publish(after=After(first.envelope.id))
    writes: list[Write] = [group, publish(member=Member("g", 0)), SealGroup("g"), publish(after=After("g", "group"))]
    assert cut(*(Change((write,)) for write in writes)) == [{Kind.LINKED: [0, 1, 2, 3]}]
    assert cut(Change((first,)), Change((second,))) == [{Kind.LINKED: [0, 1]}]
    assert cut(Change((END,), fence("a")), Change((publish(after=After("a")),))) == [
        {Kind.CONSUME: [0]},
        {Kind.LINKED: [1]},
    ]


def test_ends_keep_their_order_as_they_may_be_members_of_one_group() -> None:
    changes = [Change((START,), fence("a")), Change((END,), fence("a")), Change((END,), fence("b"))]
    assert cut(*changes) == [{Kind.START: [0]}, {Kind.CONSUME: [1, 2]}]


def test_messages_keep_their_order_also_where_ends_publish_them() -> None:
    changes = [Change((END, publish()), fence("a")), Change((publish(),)), Change((publish(),))]
    assert cut(*changes) == [{Kind.FOLLOW: [0]}, {Kind.PUBLISH: [1, 2]}]


def test_a_message_with_links_and_a_unique_key_is_done_alone() -> None:
    assert cut(Change((publish(after=After("a"), unique=UniqueKey("k")),))) == [{Kind.ALONE: [0]}]
    assert cut(Change((END, publish(after=After("a"))), fence("b"))) == [{Kind.ALONE: [0]}]


def test_ends_with_follow_ups_are_one_statement_unless_these_take_a_key() -> None:
    changes = [Change((END, publish()), fence("a")), Change((END, publish(), publish()), fence("b"))]
    assert cut(*changes) == [{Kind.FOLLOW: [0, 1]}]
    assert cut(Change((END, unique("k")), fence("a"))) == [{Kind.ALONE: [0]}]
    assert cut(Change((publish(), END), fence("a"))) == [{Kind.ALONE: [0]}]
