"""Whose turn it is."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stem.contracts.fairness import next_turn, share

WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1)


def turns(weights: dict[str, int], count: int) -> str:
    owed: dict[str, int] = {}
    order = ""
    for _ in range(count):
        chosen, owed = next_turn(owed, weights)
        order += chosen
    return order


def test_turns_are_spread_and_not_bunched() -> None:
    assert turns({"a": 5, "b": 1, "c": 1}, 7) == "aabacaa"


def test_of_equals_the_first_by_name_is_served_first() -> None:
    assert turns({"b": 1, "a": 1}, 4) == "abab"


@given(WEIGHTS)
def test_one_round_serves_each_queue_as_often_as_its_weight(weights: dict[str, int]) -> None:
    assert Counter(turns(weights, sum(weights.values()))) == weights


@given(st.lists(WEIGHTS, max_size=30))
def test_credits_stay_in_balance_whatever_queues_come_and_go(rounds: list[dict[str, int]]) -> None:
    owed: dict[str, int] = {}
    for weights in rounds:
        _, owed = next_turn(owed, weights)
    assert sum(owed.values()) == 0


@given(WEIGHTS, st.dictionaries(st.sampled_from("abcd"), st.integers(0, 20)), st.integers(0, 40))
def test_shares_add_up_to_the_limit_or_to_all_there_is(
    weights: dict[str, int], available: dict[str, int], limit: int
) -> None:
    counts, _ = share({}, weights, available, limit)
    there = {queue: available.get(queue, 0) for queue in weights}
    assert sum(counts.values()) == min(limit, sum(there.values()))
    assert all(counts[queue] <= there[queue] for queue in weights)


@given(WEIGHTS, st.integers(1, 60))
def test_a_share_is_what_single_turns_would_give(weights: dict[str, int], limit: int) -> None:
    plenty = dict.fromkeys(weights, 100)
    counts, _ = share({}, weights, plenty, limit)
    assert {queue: count for queue, count in counts.items() if count} == Counter(turns(weights, limit))


def test_the_weights_hold_over_many_small_shares() -> None:
    owed: dict[str, int] = {}
    total: Counter[str] = Counter()
    for _ in range(40):
        counts, owed = share(owed, {"a": 3, "b": 1}, {"a": 9, "b": 9}, 1)
        total.update(counts)
    assert total == {"a": 30, "b": 10}


def test_what_one_queue_cannot_fill_the_others_fill() -> None:
    assert share({}, {"a": 9, "b": 1}, {"a": 1, "b": 50}, 10)[0] == {"a": 1, "b": 9}
