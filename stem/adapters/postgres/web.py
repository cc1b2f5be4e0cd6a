"""Tasks and groups as far as links tie them, and what the end of one means for the others. Pure: no statement is here.

A `Web` is played over what was `Reading` so far. Where it would have to know more it notes what is `Wanted` and goes on
without; what it decided is to be used only when nothing was wanted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from stem.contracts.changes import OpenGroup, Publish
from stem.contracts.upstream import upstream_failed
from stem.tasks.links import After, GroupPolicy, GroupState, Member, decide_group
from stem.tasks.state import TaskEvent, TaskState, advance
from stem.tasks.status import Failure

__all__ = ["Place", "Reading", "TiedGroup", "TiedTask", "Wanted", "Web"]

Place = tuple[str, int]
"""A group and a place in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedTask:
    """A task as far as links concern it."""

    id: str
    state: TaskState
    held: bool
    after: After | None
    member: Member | None
    awaited: bool = False
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedGroup:
    """A group and its counts. `loose` are its members without a place."""

    id: str
    size: int
    policy: GroupPolicy
    state: GroupState
    filled: int = 0
    joined: int = 0
    succeeded: int = 0
    loose: int = 0


@dataclass(slots=True)
class Wanted:
    """What has to be read."""

    tasks: set[str] = field(default_factory=set[str])
    ids: set[str] = field(default_factory=set[str])
    """Of what is published: whether they are known. These are not locked, as whoever ends what they wait for locks that
    first."""
    groups: set[str] = field(default_factory=set[str])
    heirs: set[After] = field(default_factory=set[After])
    """What may have continuations that are held."""
    places: set[Place] = field(default_factory=set[Place])
    members: set[str] = field(default_factory=set[str])
    """Groups that let all go that they hold, which is locked before the group is."""

    def __bool__(self) -> bool:
        return bool(self.tasks or self.ids or self.groups or self.heirs or self.places or self.members)


@dataclass(slots=True)
class Reading:
    """What has been read, and is locked until the end of the transaction; `None` and `False` for what is not there."""

    tasks: dict[str, TiedTask | None] = field(default_factory=dict[str, TiedTask | None])
    ids: dict[str, bool] = field(default_factory=dict[str, bool])
    """Those of what is published, which nobody has locked."""
    groups: dict[str, TiedGroup | None] = field(default_factory=dict[str, TiedGroup | None])
    heirs: dict[After, tuple[str, ...]] = field(default_factory=dict[After, tuple[str, ...]])
    """In the order of publication."""
    places: dict[Place, bool] = field(default_factory=dict[Place, bool])
    members: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Web:
    """What was read, and what has become of it."""

    reading: Reading
    wanted: Wanted = field(default_factory=Wanted)
    tasks: dict[str, TiedTask] = field(default_factory=dict[str, TiedTask])
    """Those that are new or changed."""
    groups: dict[str, TiedGroup] = field(default_factory=dict[str, TiedGroup])
    """Those that are new or changed."""
    heirs: dict[After, list[str]] = field(default_factory=dict[After, list[str]])
    """New continuations."""
    places: set[Place] = field(default_factory=set[Place])
    published: dict[str, Publish] = field(default_factory=dict[str, Publish])
    opened: dict[str, OpenGroup] = field(default_factory=dict[str, OpenGroup])
    sealed: list[str] = field(default_factory=list[str])
    errors: dict[str, Failure] = field(default_factory=dict[str, Failure])
    """Of those that are cancelled."""

    def fork(self) -> Web:
        """A web that can go on from here without changing this one; both want the same things."""
        return Web(
            self.reading,
            self.wanted,
            dict(self.tasks),
            dict(self.groups),
            {after: list(heirs) for after, heirs in self.heirs.items()},
            set(self.places),
            dict(self.published),
            dict(self.opened),
            list(self.sealed),
            dict(self.errors),
        )

    def is_known(self, task: str) -> bool:
        """Whether there is a task of this id, whatever it is doing."""
        if task in self.tasks:
            return True
        if task not in self.reading.ids:
            self.wanted.ids.add(task)
        return self.reading.ids.get(task, False)

    def task(self, task: str) -> TiedTask | None:
        """A task as it is now; `None` for one that is not there."""
        if task in self.tasks:
            return self.tasks[task]
        if task not in self.reading.tasks:
            self.wanted.tasks.add(task)
        return self.reading.tasks.get(task)

    def group(self, group: str) -> TiedGroup | None:
        """A group as it is now; `None` for one that is not there."""
        if group in self.groups:
            return self.groups[group]
        if group not in self.reading.groups:
            self.wanted.groups.add(group)
        return self.reading.groups.get(group)

    def is_taken(self, place: Place) -> bool:
        """Whether a member has this place."""
        if place in self.places or place[0] in self.opened:
            return place in self.places
        if place not in self.reading.places:
            self.wanted.places.add(place)
        return self.reading.places.get(place, False)

    def knows(self, after: After) -> bool:
        """Whether what is waited for is there."""
        return (self.task(after.id) if after.kind == "task" else self.group(after.id)) is not None

    def upstream(self, after: After) -> tuple[bool | None, str]:
        """Whether what is waited for, which is there, has succeeded, `None` while it lives; and its state."""
        if after.kind == "group":
            group = self.group(after.id)
            state = GroupState.OPEN if group is None else group.state
            return (state is GroupState.MET if state.is_closed else None), state.value
        task = self.task(after.id)
        found = TaskState.QUEUED if task is None else task.state
        return (found is TaskState.SUCCEEDED if found.is_terminal else None), found.value

    def is_open(self, member: Member | None) -> bool:
        """Whether this is a member of a group that is not sealed."""
        group = None if member is None else self.group(member.group)
        return group is not None and group.state is GroupState.OPEN

    def end(self, tasks: Iterable[str]) -> None:
        """What follows from the end of these tasks, one after the other; nothing for one that lives."""
        for task in tasks:
            ended = self.task(task)
            if ended is not None and ended.state.is_terminal:
                self._follow(deque([ended]))

    def remove(self, what: Iterable[After], state: str) -> None:
        """What follows when these go without an end."""
        self.wanted.heirs.update(after for after in what if after not in self.reading.heirs)
        for after in what:
            self._follow(deque(self._go_on(after, succeeded=False, state=state)))

    def decide(self, group: TiedGroup) -> None:
        """Close a sealed group if it has its answer, and what follows from that."""
        self._follow(deque(self._decide(group)))

    def cancel(self, task: TiedTask, error: Failure) -> TiedTask:
        """End a task that is held or new."""
        state = advance(task.state, TaskEvent.CANCEL_REQUESTED)
        self.tasks[task.id] = ended = replace(task, state=state, held=False)
        self.errors[task.id] = error
        return ended

    def _follow(self, ends: deque[TiedTask]) -> None:
        """A list of work and no recursion: a chain may have any length."""
        while ends:
            task = ends.popleft()
            succeeded = task.state is TaskState.SUCCEEDED
            ends.extend(self._go_on(After(task.id), succeeded=succeeded, state=task.state.value))
            group = self._join(task)
            if group is not None:
                ends.extend(self._decide(group))

    def _go_on(self, after: After, *, succeeded: bool, state: str) -> Iterator[TiedTask]:
        """Let what is held by this go, or end it; what has ended."""
        for heir in self._heirs(after):
            task = self.task(heir)
            if task is None or not task.held:
                continue
            if not succeeded:
                yield self.cancel(task, upstream_failed(after, state))
            elif not self.is_open(task.member):
                self.tasks[heir] = replace(task, held=False)

    def _heirs(self, after: After) -> tuple[str, ...]:
        found = self.reading.heirs.get(after)
        if found is None and self._may_have_heirs(after):
            self.wanted.heirs.add(after)
        return (*(found or ()), *self.heirs.get(after, ()))

    def _may_have_heirs(self, after: After) -> bool:
        """Whether anything that is stored can wait for this."""
        if after.kind == "group":
            return after.id not in self.opened
        task = self.reading.tasks.get(after.id)
        return task is not None and task.awaited

    def _join(self, task: TiedTask) -> TiedGroup | None:
        """Count the end of a member, once, while its group is not closed; the group that has counted it."""
        member = task.member
        if member is None or member.index is None or task.generation:
            return None
        group = self.group(member.group)
        if group is None or group.state.is_closed:
            return None
        succeeded = group.succeeded + (task.state is TaskState.SUCCEEDED)
        self.groups[group.id] = counted = replace(group, joined=group.joined + 1, succeeded=succeeded)
        return counted

    def _decide(self, group: TiedGroup) -> Iterator[TiedTask]:
        if group.state is not GroupState.SEALED:
            return
        state = decide_group(group.policy, size=group.size, joined=group.joined, succeeded=group.succeeded)
        self.groups[group.id] = replace(group, state=state)
        if state.is_closed:
            met = state is GroupState.MET
            yield from self._go_on(After(group.id, "group"), succeeded=met, state=state.value)
