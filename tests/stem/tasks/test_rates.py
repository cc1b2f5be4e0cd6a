"""Rates as numbers: what every window holds, and what of a rate is used."""

from __future__ import annotations

import random

import pytest

from stem.clock import Micros
from stem.errors import ConfigError
from stem.tasks.rates import Rate, grant, opens_at, parse_rate, tokens

PERIODS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
TEXTS = ["1/s", "10/s", "7/s", "1000/s", "1/m", "100/m", "999/h"]


def walk(text: str, late: float) -> tuple[int, Micros, list[Micros]]:
    """Starts over ten periods, each taken by somebody who comes up to `late` periods after its time."""
    chance = random.Random(text)
    rate, period = parse_rate(text), PERIODS[text[-1]]
    now = begin = 1_767_225_600_000_000
    ahead, starts = 0, list[Micros]()
    while now < begin + 10 * period:
        count = tokens(rate, ahead, now)
        starts += [now] * count
        ahead = grant(rate, ahead, now, count)
        now = max(now, opens_at(rate, ahead)) + chance.randrange(1 + round(late * period))
    return int(text.partition("/")[0]), period, starts


@pytest.mark.parametrize("late", [0, 1 / 40, 0.3, 2])
@pytest.mark.parametrize("text", TEXTS)
def test_no_window_of_a_period_holds_more_than_the_rate(text: str, late: float) -> None:
    count, period, starts = walk(text, late)
    assert all(last - first >= period for first, last in zip(starts, starts[count:], strict=False))


@pytest.mark.parametrize("late", [0, 1 / 40])
@pytest.mark.parametrize("text", TEXTS)
def test_who_is_late_by_less_than_the_tolerance_uses_95_percent(text: str, late: float) -> None:
    count, _, starts = walk(text, late)
    assert len(starts) >= 0.95 * 10 * count


@pytest.mark.parametrize("text", TEXTS)
def test_there_is_a_token_from_the_time_on_at_which_the_next_may_start(text: str) -> None:
    rate, now = parse_rate(text), 1_767_225_600_000_000
    ahead = grant(rate, 0, now, tokens(rate, 0, now))
    assert tokens(rate, ahead, opens_at(rate, ahead) - 1) == 0
    assert tokens(rate, ahead, opens_at(rate, ahead)) == 1


def test_what_was_not_used_is_not_saved() -> None:
    rate, now = parse_rate("100/m"), 1_767_225_600_000_000
    fresh = tokens(rate, 0, now)
    assert tokens(rate, grant(rate, 0, now), now + 3_600_000_000) == fresh < 5


def test_a_rate_gives_up_one_part_in_41() -> None:
    assert parse_rate("10/s") == Rate(interval=102_500, tolerance=25_000)
    assert parse_rate("500000/s").interval == 3


@pytest.mark.parametrize(
    "text", ["10/fortnight", "", "10", "/s", "0/s", "-1/s", "1.5/s", "10/d", " 10/s", "10/s\n", "٣/s", "500001/s"]
)
def test_any_other_text_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError, match="'10/s', '100/m', '1000/h'"):
        parse_rate(text)
