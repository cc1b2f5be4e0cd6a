"""When the next attempt comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stem.errors import ConfigError
from stem.tasks.retry import DEFAULT_BACKOFF, Backoff, Retry, should_retry

SECOND = 1_000_000
BACKOFFS = st.builds(
    Backoff,
    initial=st.integers(0, 10**12),
    factor=st.floats(1.0, 10.0),
    max_delay=st.integers(0, 10**12),
    jitter=st.floats(0.0, 1.0),
)


def test_without_jitter_the_waits_grow_by_the_factor_up_to_the_longest() -> None:
    backoff = Backoff(initial=2 * SECOND, factor=2.0, max_delay=10 * SECOND, jitter=0.0)
    assert [backoff.delay(retries, 0.9) // SECOND for retries in range(5)] == [2, 4, 8, 10, 10]


@pytest.mark.parametrize(("random", "expected"), [(0.0, 75), (0.5, 100), (1.0, 125)])
def test_jitter_spreads_a_wait_to_both_sides(random: float, expected: int) -> None:
    backoff = Backoff(initial=100, factor=1.0, max_delay=1_000, jitter=0.25)
    assert backoff.delay(0, random) == expected


@given(BACKOFFS, st.integers(0, 100_000), st.floats(0.0, 1.0, exclude_max=True))
def test_a_wait_is_never_negative_and_never_longer_than_the_longest_and_its_jitter(
    backoff: Backoff, retries: int, random: float
) -> None:
    delay = backoff.delay(retries, random)
    assert 0 <= delay <= round(backoff.max_delay * (1 + backoff.jitter)) + 1


def test_a_number_of_retries_that_overflows_a_float_waits_the_longest() -> None:
    assert Backoff(initial=1, factor=10.0, max_delay=7, jitter=0.0).delay(10_000, 0.5) == 7


def test_the_numbers_of_a_policy_are_microseconds() -> None:
    policy = Retry(initial=timedelta(seconds=1), factor=3, max_delay=timedelta(minutes=1), jitter=0)
    assert policy.backoff == Backoff(SECOND, 3, 60 * SECOND, 0)
    assert Backoff(2 * SECOND, 2.0, 300 * SECOND, 0.25) == DEFAULT_BACKOFF


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"initial": timedelta(seconds=-1)}, "initial"),
        ({"max_delay": timedelta(seconds=-1)}, "max_delay"),
        ({"factor": 0.5}, "factor"),
        ({"factor": float("nan")}, "factor"),
        ({"factor": float("inf")}, "factor"),
        ({"initial": 2}, "initial"),
        ({"jitter": "some"}, "jitter"),
        ({"retry_on": ValueError}, "retry_on"),
        ({"retry_on": ("ValueError",)}, "retry_on"),
        ({"give_up_on": [ValueError]}, "give_up_on"),
        ({"jitter": 1.1}, "jitter"),
        ({"jitter": -0.1}, "jitter"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Retry(**given)
    assert f"Retry.{name}" in caught.value.expected
    assert repr(given[name]) in caught.value.found


@pytest.mark.parametrize(
    ("retry", "error", "again"),
    [
        (Retry(), ValueError(), True),
        (Retry(), SystemExit(), True),
        (Retry(retry_on=(OSError,)), SystemExit(), False),
        (Retry(retry_on=(OSError,)), ConnectionError(), True),
        (Retry(retry_on=(OSError,)), ValueError(), False),
        (Retry(give_up_on=(ValueError,)), ValueError(), False),
        (Retry(retry_on=(ValueError,), give_up_on=(Exception,)), ValueError(), False),
        (Retry(retry_on=()), ValueError(), False),
    ],
    ids=repr,
)
def test_the_classes_choose_and_giving_up_wins(retry: Retry, error: BaseException, again: bool) -> None:
    assert should_retry(error, retry) is again
