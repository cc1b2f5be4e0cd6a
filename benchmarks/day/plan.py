"""What is enqueued in which minute, with which options, and how each task has to end. Pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final, cast

from stem.tasks.options import EnqueueOptions
from stem.tasks.state import TaskState

__all__ = ["Fate", "Item", "draw", "expected"]

_QUEUES: Final = ("default", "mail", "reports")
_TTL: Final = timedelta(minutes=10)


class Fate(Enum):
    """What becomes of a task."""

    SUCCEEDS = "succeeds"
    RECOVERS = "recovers"
    """Fails a few times first."""
    DIES = "dies"
    """Fails more often than it may."""
    EXPIRES = "expires"
    IS_CANCELLED = "is cancelled"
    IS_DOUBLE = "is a duplicate"
    """Is enqueued twice with one key; the second is the first."""
    FOLLOWS = "is followed"
    """Publishes another one with its success."""


_WEIGHTS: Final = {
    Fate.SUCCEEDS: 70,
    Fate.RECOVERS: 8,
    Fate.DIES: 4,
    Fate.EXPIRES: 4,
    Fate.IS_CANCELLED: 4,
    Fate.IS_DOUBLE: 5,
    Fate.FOLLOWS: 5,
}
_ENDS: Final[Mapping[Fate, Mapping[TaskState, int]]] = {
    Fate.SUCCEEDS: {TaskState.SUCCEEDED: 1},
    Fate.RECOVERS: {TaskState.SUCCEEDED: 1},
    Fate.DIES: {TaskState.FAILED: 1},
    Fate.EXPIRES: {TaskState.EXPIRED: 1},
    Fate.IS_CANCELLED: {TaskState.CANCELLED: 1},
    Fate.IS_DOUBLE: {TaskState.SUCCEEDED: 1},
    Fate.FOLLOWS: {TaskState.SUCCEEDED: 2},
}


@dataclass(frozen=True, slots=True)
class Item:
    """One task: when, of which kind, with which options."""

    number: int
    minute: int
    fate: Fate
    kind: str
    """`plain`, `rated` or `narrow`: without a limit, under a rate, under a concurrency."""
    failures: int
    options: EnqueueOptions


def draw(seed: int, *, tasks: int, minutes: int) -> list[Item]:
    """The items of a seed, in the order of their minutes."""
    dice = random.Random(seed)  # it has to be the same again
    return sorted((_item(dice, number, minutes) for number in range(tasks)), key=lambda item: item.minute)


def expected(items: Sequence[Item]) -> Counter[TaskState]:
    """How many tasks have to end in each state."""
    counts: Counter[TaskState] = Counter()
    for item in items:
        counts.update(_ENDS[item.fate])
    return counts


def _item(dice: random.Random, number: int, minutes: int) -> Item:
    (fate,) = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    kind = dice.choices(("plain", "rated", "narrow"), (80, 10, 10))[0]
    failures = {Fate.RECOVERS: dice.randint(1, 3), Fate.DIES: 9}.get(fate, 0)
    options: dict[str, Any] = {
        "queue": dice.choice(_QUEUES),
        "priority": dice.randrange(10),
        "max_retries": 1 if fate is Fate.DIES else 3,
        "delay": timedelta(seconds=dice.choice((0, 0, 0, dice.randrange(7_200)))),
        "result_ttl": _TTL,
        "ignore_result": dice.random() < 0.2,
        "tags": tuple(dice.sample(("a", "b", "c"), dice.randrange(3))),
        "headers": {"trace": str(number)},
        "meta": {"number": number},
        **_of_fate(fate, number, dice),
    }
    return Item(number, dice.randrange(minutes), fate, kind, failures, cast("EnqueueOptions", options))


def _of_fate(fate: Fate, number: int, dice: random.Random) -> dict[str, Any]:
    match fate:
        case Fate.EXPIRES:
            return {"expires": timedelta(seconds=30), "delay": timedelta(minutes=dice.randint(1, 60))}
        case Fate.IS_CANCELLED:
            return {"delay": timedelta(minutes=dice.randint(1, 60))}
        case Fate.IS_DOUBLE:
            return {"unique_key": f"key-{number}", "delay": timedelta(minutes=1)}
        case _:
            return {}
