"""What of a batch's rows is sent: what is the same in all of them only once."""

from __future__ import annotations

from stem.adapters.postgres.rows import packed

NAMES = ("task", "state", "delay")


def test_what_is_the_same_in_all_rows_is_sent_once() -> None:
    sent = packed(NAMES, [("a", "succeeded", 1), ("b", "succeeded", 2)])

    assert (sent["state"], sent["state_alike"]) == ([], "succeeded")
    assert (sent["delay"], sent["delay_alike"]) == ([1, 2], None)


def test_a_column_without_any_value_is_sent_as_nothing() -> None:
    sent = packed(NAMES, [("a", "queued", None), ("b", "retrying", None)])

    assert (sent["delay"], sent["delay_alike"]) == ([], None)


def test_a_value_that_some_rows_lack_is_not_taken_for_that_of_all() -> None:
    sent = packed(NAMES, [("a", "queued", 5), ("b", "queued", None), ("c", "queued", 5)])

    assert (sent["delay"], sent["delay_alike"]) == ([5, None, 5], None)


def test_the_first_column_is_always_sent_since_it_says_how_many_rows_there_are() -> None:
    sent = packed(NAMES, [("a", "queued", 5)])

    assert (sent["task"], sent["task_alike"]) == (["a"], None)
    assert (sent["state"], sent["state_alike"]) == ([], "queued")


def test_no_rows_are_no_columns() -> None:
    assert packed(("task",), []) == {"task": [], "task_alike": None}
