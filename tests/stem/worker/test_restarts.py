"""When a worker process is started again."""

from __future__ import annotations

import pytest

from stem.worker.restarts import Deaths, Life
from tests.stem.worker.support import SECOND


def _life(lived: int, *, was_ready: bool) -> Life:
    return Life(1, 1, lived, was_ready)


@pytest.mark.parametrize(("lived", "soon"), [(0, 4), (29 * SECOND, 4), (30 * SECOND, 1)])
def test_only_deaths_soon_after_a_start_make_the_pause_longer(lived: int, soon: int) -> None:
    assert Deaths(soon=3).with_one(_life(lived, was_ready=True)).soon == soon


def test_only_those_that_never_worked_are_hopeless() -> None:
    never = Deaths(before_ready=4).with_one(_life(0, was_ready=False))
    works = Deaths(soon=40, before_ready=4).with_one(_life(0, was_ready=True))

    assert (never.are_hopeless, works.are_hopeless, works.before_ready) == (True, False, 0)


def test_the_pause_doubles_and_is_bounded() -> None:
    assert [Deaths(soon=soon).pause / SECOND for soon in (1, 2, 3, 6, 7, 8, 1000)] == [0.5, 1, 2, 16, 30, 30, 30]
