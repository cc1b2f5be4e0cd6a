"""Changes by chance, the same for everybody who throws with the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Discard,
    Fence,
    OpenGroup,
    Park,
    Publish,
    Release,
    Replay,
    Report,
    Reschedule,
    SealGroup,
    Settle,
    UniqueKey,
    Write,
)
from stem.contracts.limits import TaskLimit
from stem.tasks.links import After, GroupPolicy, Member
from stem.tasks.rates import parse_rate
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.build import START, SUCCESS, publish, seconds

__all__ = ["ENDS", "GROUPS", "Dice"]

TASKS: Final = 6
MANY_TASKS: Final = 60
GROUPS: Final[Sequence[GroupPolicy]] = ("all", "settled", "any")
"""The policies of the groups 0, 1 and 2, which have one place more than their number."""
ENDS: Final[Sequence[Write]] = (
    SUCCESS,
    Settle(TaskEvent.FAILED, error=Failure("E", "m")),
    Settle(TaskEvent.CANCELLED),
    Reschedule(0, Failure("E", "again")),
    Release(),
    Bury("crashed", Failure("E", "dead")),
    Park("unknown task", "registry-9", seconds(10**8)),
)


class Dice:
    """Changes of few tasks, so that they meet. The ids, keys, groups and queue begin with `side`; those of groups go on
    with `age`, for who forgets groups meanwhile.

    `linked` ones have continuations and groups, too; of `limited` ones there are more, with keys of limits: for both
    the same, since what of two lines may start by what they share is for an engine to say.
    """

    def __init__(self, seed: str, side: str, *, linked: bool = False, limited: bool = False, age: str = "") -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a test's chance is seeded
        self._side = side
        self._groups = f"{side}{age}-group"
        self._linked = linked
        self._limited = limited
        self._tasks = MANY_TASKS if limited else TASKS

    def changes(self, fences: Sequence[Fence], most: int = 12) -> list[Change]:
        """Up to so many changes; `fences` are those of leases that may still stand."""
        return [self._change(fences) for _ in range(self._chance.randint(1, most))]

    def _change(self, fences: Sequence[Fence]) -> Change:
        if self._linked and self._chance.random() < 0.25:
            return Change(self._group_writes())
        kind = self._chance.random()
        if kind < 0.4 or not fences:
            return Change(tuple(self._publish() for _ in range(self._chance.choice((1, 1, 1, 2)))))
        if kind < 0.6:
            return Change((self._order(self._task()),))
        fence = self._chance.choice(fences[-6:])
        return Change(self._fenced(), fence, self._chance.choice((1, 1, 2)))

    def _order(self, task_id: str) -> Write:
        orders: list[Write] = [Cancel(task_id), Cancel(task_id, terminate=True), Replay(task_id)]
        return self._chance.choice([*orders, Discard(task_id)] if self._linked else orders)

    def _fenced(self) -> tuple[Write, ...]:
        kind = self._chance.random()
        if kind < 0.2:
            return (START,)
        if kind < 0.4:
            return (Report(Progress(self._chance.randint(1, 5), self._chance.random())),)
        end = self._chance.choice(ENDS)
        return (end, self._publish()) if kind < 0.6 else (end,)

    def _publish(self) -> Publish:
        number, key = self._chance.randrange(self._tasks), self._chance.choice((None, None, "k1", "k2"))
        lifetime = self._chance.choice((None, seconds(3)))
        whose = self._chance.choice((None, None, "x")) if self._limited else None
        return publish(
            id=f"{self._side}-{number}",
            name=f"{self._side}-name-{number % 2}",
            queue=self._side,
            unique=None if key is None else UniqueKey(f"{self._side}-{key}", lifetime),
            delay=self._chance.choice((0, 0, seconds(3))),
            priority=number % 3,
            ignore_result=number == 0,
            expires=seconds(9) if number == 1 else None,
            after=self._after() if self._linked else None,
            member=self._member() if self._linked else None,
            rate_key=whose,
            concurrency_key=whose,
        )

    def limits(self) -> list[TaskLimit]:
        """The limits of the names that the tasks have: each its own, or the second one as an old name of the first."""
        first, second = (self._limit(number) for number in range(2))
        is_alias = self._chance.random() < 0.4
        return [first, replace(first, name=second.name) if is_alias else second]

    def _limit(self, number: int) -> TaskLimit:
        name, rate = f"{self._side}-name-{number}", self._chance.choice((None, "1/s", "4/m", "30/m"))
        return TaskLimit(
            name=name,
            shared=name,
            rate=None if rate is None else parse_rate(rate),
            concurrency=self._chance.choice((None, 1, 1, 2)),
        )

    def _after(self) -> After | None:
        kind = self._chance.random()
        if kind < 0.3:
            return After(self._task())
        return After(self._group(self._chance.randrange(3)), "group") if kind < 0.4 else None

    def _member(self) -> Member | None:
        if self._chance.random() < 0.7:
            return None
        number = self._chance.randrange(3)
        return Member(self._group(number), self._chance.choice((None, *range(number + 1))))

    def _group_writes(self) -> tuple[Write, ...]:
        number = self._chance.randrange(3)
        group = self._group(number)
        opened = OpenGroup(group=group, size=number + 1, policy=GROUPS[number])
        filled = tuple(
            publish(id=f"{group}-{place}", queue=self._side, member=Member(group, place)) for place in range(number + 1)
        )
        seal = SealGroup(group)
        sets: list[tuple[Write, ...]] = [(opened,), (opened, *filled), (seal,), (opened, *filled, seal)]
        return self._chance.choice(sets)

    def _task(self) -> str:
        return f"{self._side}-{self._chance.randrange(self._tasks)}"

    def _group(self, number: int) -> str:
        return f"{self._groups}-{number}"
