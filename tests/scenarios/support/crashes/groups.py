"""The flows of groups: filled and sealed, joined to their end, decided early."""

from __future__ import annotations

from stem.contracts.changes import Bury, OpenGroup, Publish, SealGroup
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.build import Bench, publish
from stem.testing.contracts.lineups import group_of, of_group
from tests.scenarios.support.crashes.flow import Aftermath, Flow, Tell

__all__ = ["Deciding", "Joining", "Opening"]

MEMBERS = ("member-0", "member-1", "member-2")
EVERYTHING = {*MEMBERS, "body", "tail"}


class Opening(Flow):
    """A producer that fills a group in two chunks, gives it a continuation, and seals it."""

    async def act(self, bench: Bench, tell: Tell) -> None:
        first, *others = members()
        await bench.apply(OpenGroup(group="group", size=3), first)
        await bench.apply(*others)
        await bench.apply(*continuations())
        await bench.apply(SealGroup("group"))
        for task in EVERYTHING:
            tell("published", task)

    async def audit(self, after: Aftermath) -> None:
        if any(after.ran.values()):
            assert set(after.ran) == set(after.records) == EVERYTHING
            assert (await group_of(after.bench, "group")).state is GroupState.MET
        else:
            assert not after.told
            assert await after.bench.store.group("group") is None
            assert after.records.keys() <= {"body", "tail"}
            assert {record.state for record in after.records.values()} <= {TaskState.CANCELLED}


class Joining(Flow):
    """A worker that ends all members of a group, and then its continuation, and what follows that."""

    async def prepare(self, bench: Bench) -> None:
        await bench.apply(OpenGroup(group="group", size=3), *members(), *continuations(), SealGroup("group"))

    async def act(self, bench: Bench, tell: Tell) -> None:
        for _ in EVERYTHING:
            tell("ended", await bench.finish())

    async def audit(self, after: Aftermath) -> None:
        group = await group_of(after.bench, "group")
        assert (group.state, group.joined, group.succeeded) == (GroupState.MET, 3, 3)
        assert {record.state for record in after.records.values()} == {TaskState.SUCCEEDED}
        assert set(after.records) == EVERYTHING


class Deciding(Flow):
    """A worker whose second member is buried: the group has its answer, and nobody runs what waits for it."""

    async def prepare(self, bench: Bench) -> None:
        await Joining().prepare(bench)

    async def act(self, bench: Bench, tell: Tell) -> None:
        tell("ended", await bench.finish())
        tell("ended", await bench.finish(Bury("crashed", Failure("ValueError", "no"))))
        assert await bench.leased_ids(5) == []
        for task in ("body", "tail"):
            tell("ended", task)

    async def audit(self, after: Aftermath) -> None:
        group = await group_of(after.bench, "group")
        decided = after.state("member-1") is TaskState.FAILED
        assert group.state is (GroupState.UNMET if decided else GroupState.MET)
        waiting = ("body", "tail")
        assert {after.state(task) for task in waiting} == {TaskState.CANCELLED if decided else TaskState.SUCCEEDED}
        at_once = after.before["member-1"].state is TaskState.FAILED
        assert [after.before[task].state is TaskState.CANCELLED for task in waiting] == [at_once, at_once]


def members() -> list[Publish]:
    """One for each place."""
    return [publish(id=task, member=Member("group", place)) for place, task in enumerate(MEMBERS)]


def continuations() -> list[Publish]:
    """What waits for the group, and what waits for that."""
    return [publish(id="body", after=of_group("group")), publish(id="tail", after=After("body"))]
