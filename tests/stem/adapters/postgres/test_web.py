"""What the end of one task means for others, decided over what was read."""

from __future__ import annotations

from dataclasses import replace

from stem.adapters.postgres.links import play, want
from stem.adapters.postgres.web import Reading, TiedGroup, TiedTask, Web
from stem.contracts.changes import APPLIED, OpenGroup, Publish, RefusalCode, Refused, SealGroup, Write
from stem.tasks.links import After, GroupPolicy, GroupState, Member
from stem.tasks.state import TaskState
from stem.testing.contracts import publish


def ended(task: str, state: TaskState = TaskState.SUCCEEDED, member: Member | None = None) -> TiedTask:
    return TiedTask(id=task, state=state, held=False, after=None, member=member, awaited=True)


def heir(task: str, after: After, member: Member | None = None) -> TiedTask:
    return TiedTask(id=task, state=TaskState.QUEUED, held=True, after=after, member=member, awaited=True)


def group(name: str, size: int, policy: GroupPolicy = "all", joined: int = 0) -> TiedGroup:
    return TiedGroup(id=name, size=size, policy=policy, state=GroupState.SEALED, joined=joined, succeeded=joined)


def reading(*rows: TiedTask | TiedGroup) -> Reading:
    """All there is: nothing has to be read any more."""
    known = Reading()
    known.tasks = {row.id: row for row in rows if isinstance(row, TiedTask)}
    known.groups = {row.id: row for row in rows if isinstance(row, TiedGroup)}
    waited_for = {*map(After, known.tasks), *(After(name, "group") for name in known.groups)}
    for after in waited_for:
        known.heirs[after] = tuple(row.id for row in rows if isinstance(row, TiedTask) and row.after == after)
    return known


def played(known: Reading, *ends: str) -> Web:
    web = Web(known)
    web.end(ends)
    assert not web.wanted
    return web


def test_a_success_lets_go_of_what_waits_and_of_nothing_behind_it() -> None:
    known = reading(ended("a"), heir("b", After("a")), heir("c", After("b")))
    web = played(known, "a")
    assert {task.id: task.held for task in web.tasks.values()} == {"b": False}
    assert web.errors == {}


def test_a_failure_ends_the_whole_chain_and_each_is_told_of_the_one_before_it() -> None:
    known = reading(ended("a", TaskState.FAILED), heir("b", After("a")), heir("c", After("b")))
    web = played(known, "a")
    assert {task: error.message for task, error in web.errors.items()} == {
        "b": "task a is failed",
        "c": "task b is cancelled",
    }


def test_a_cancelled_member_joins_and_the_group_that_this_closes_ends_its_continuation() -> None:
    known = reading(
        *(ended("a", TaskState.EXPIRED), heir("b", After("a"), Member("g", 0))),
        *(group("g", 2), heir("c", After("g", "group"))),
    )
    web = played(known, "a")
    assert (web.groups["g"].state, web.groups["g"].joined) == (GroupState.UNMET, 1)
    assert web.errors["c"].message == "group g is unmet"


def test_joins_after_the_one_that_decides_are_not_counted() -> None:
    members = (ended("a", TaskState.FAILED, Member("g", 0)), ended("b", member=Member("g", 1)))
    web = played(reading(group("g", 2), *members), "a", "b")
    assert (web.groups["g"].joined, web.groups["g"].succeeded) == (1, 0)
    web = played(reading(group("g", 2), *members), "b", "a")
    assert (web.groups["g"].joined, web.groups["g"].succeeded) == (2, 1)


def test_a_member_of_a_later_generation_joins_no_more() -> None:
    again = replace(ended("a", member=Member("g", 0)), generation=1)
    assert played(reading(group("g", 1), again), "a").groups == {}


def test_a_task_that_lives_ends_nothing() -> None:
    web = played(reading(ended("a", TaskState.RUNNING), heir("b", After("a"))), "a")
    assert (web.tasks, web.errors) == ({}, {})


def test_what_is_not_known_is_wanted_all_at_once() -> None:
    web = Web(Reading())
    web.end(["a", "b"])
    assert web.wanted.tasks == {"a", "b"}
    known = Reading(tasks={"a": ended("a", member=Member("g", 0)), "b": ended("b")})
    web = Web(known)
    web.end(["a", "b"])
    assert (web.wanted.groups, web.wanted.heirs) == ({"g"}, {After("a"), After("b")})


def test_nobody_is_looked_for_who_waits_for_a_task_that_nobody_awaits() -> None:
    web = Web(Reading(tasks={"a": replace(ended("a"), awaited=False)}))
    web.end(["a"])
    assert not web.wanted


def test_what_is_published_together_is_known_to_each_other() -> None:
    first = publish(member=Member("g", 0))
    writes: tuple[Write, ...] = (
        *(OpenGroup(group="g", size=1), first, publish(after=After("g", "group")), SealGroup("g")),
    )
    known = Reading(groups={"g": None}, ids={_id(write): False for write in writes if isinstance(write, Publish)})
    web = Web(known)
    assert play(web, writes, {}) is APPLIED
    assert not web.wanted
    assert [task.held for task in web.tasks.values()] == [False, True]


def test_what_is_known_already_wants_no_more_and_changes_nothing() -> None:
    again = publish(id="a", after=After("g", "group"))
    web = Web(Reading(ids={"a": True}))
    want(web, again)
    assert play(web, (again,), {}) is APPLIED
    assert not web.wanted
    assert (web.tasks, web.published) == ({}, {})


def test_a_place_is_taken_once() -> None:
    known = Reading(groups={"g": None})
    writes = (OpenGroup(group="g", size=2), publish(member=Member("g", 1)), publish(member=Member("g", 1)))
    verdict = play(Web(known), writes, {})
    assert isinstance(verdict, Refused)
    assert verdict.code == RefusalCode.REJECTED


def _id(write: Publish) -> str:
    return write.envelope.id
