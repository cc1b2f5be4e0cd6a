"""How many are asked for."""

from __future__ import annotations

import pytest

from stem.worker.demand import demand, prefetch
from tests.stem.worker.support import SECOND


@pytest.mark.parametrize(
    ("ended", "brief", "during", "ready"),
    [
        (0, 0, SECOND, 0),
        (100, 0, SECOND, 5),
        (1_000, 0, SECOND, 50),
        (6_000, 0, SECOND, 100),
        (6_000, 6_000, SECOND, 300),
        (6_000, 3_000, SECOND, 150),
        (99_999, 99_999, SECOND, 400),
        (5, 5, 0, 0),
    ],
)
def test_what_ends_within_50_ms_is_fetched_ahead_up_to_one_for_each_slot_and_four_of_what_is_brief(
    ended: int, brief: int, during: int, ready: int
) -> None:
    assert prefetch(ended, brief, during=during, concurrency=100) == ready


@pytest.mark.parametrize(
    ("free", "waiting", "ahead", "asked"),
    [
        (10, 0, 0, 10),
        (0, 0, 0, 0),
        (-3, 0, 0, 0),
        (10, 0, 5, 15),
        (0, 5, 10, 5),
        (0, 6, 10, 0),
        (2, 5, 10, 7),
        (0, 1, 0, 0),
    ],
)
def test_as_many_are_asked_for_as_are_free_and_as_should_be_ready(
    free: int, waiting: int, ahead: int, asked: int
) -> None:
    assert demand(free=free, waiting=waiting, ahead=ahead) == asked
