"""A part of the day that the benchmark lets pass: every option mixed by a seed, and every count exact."""

from __future__ import annotations

from benchmarks.day.plan import Fate, draw, expected
from benchmarks.day.run import live
from stem.tasks.state import TaskState


def test_the_same_seed_has_the_same_day() -> None:
    assert draw(5, tasks=50, minutes=10) == draw(5, tasks=50, minutes=10) != draw(6, tasks=50, minutes=10)


def test_a_day_has_every_fate() -> None:
    items = draw(1, tasks=500, minutes=60)
    assert {item.fate for item in items} == set(Fate)
    assert {item.kind for item in items} == {"plain", "rated", "narrow"}
    assert expected(items)[TaskState.FAILED] == sum(item.fate is Fate.DIES for item in items)


async def test_every_task_of_some_minutes_ends_as_it_has_to_and_its_record_goes() -> None:
    items = draw(2, tasks=150, minutes=5)
    day = await live(items, minutes=5)
    assert day.ended == expected(items)
    assert day.left == 0
