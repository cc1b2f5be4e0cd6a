"""The options and their one merge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from stem.errors import ConfigError
from stem.tasks.envelope import Envelope
from stem.tasks.options import (
    DefinitionOptions,
    EnqueueOptions,
    HandlerOptions,
    PublishOptions,
    Travelling,
    merge_options,
)
from stem.tasks.retry import Retry


def merge(**given: Any) -> PublishOptions:
    return merge_options(cast("EnqueueOptions", given))


def test_nothing_given_is_the_defaults() -> None:
    assert merge_options() == PublishOptions()


def test_a_later_layer_overrides_only_what_it_gives() -> None:
    app, definition, call = (
        EnqueueOptions(queue="app", priority=1),
        EnqueueOptions(priority=2),
        EnqueueOptions(max_retries=9),
    )
    merged = merge_options(app, definition, call)
    assert (merged.queue, merged.priority, merged.max_retries) == ("app", 2, 9)


def test_none_is_a_value_that_overrides() -> None:
    merged = merge_options(EnqueueOptions(expires=timedelta(seconds=5)), EnqueueOptions(expires=None))
    assert merged.expires is None


def test_a_name_that_is_no_option_is_refused_with_the_names_that_are() -> None:
    with pytest.raises(ConfigError) as caught:
        merge(retries=3)
    assert "`retries`" in caught.value.found
    assert "max_retries" in caught.value.expected


def test_every_option_that_can_be_given_has_a_place_in_the_merged_value() -> None:
    names = {*DefinitionOptions.__annotations__, *EnqueueOptions.__annotations__}
    assert names == set(PublishOptions.__dataclass_fields__)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue", ""),
        ("queue", 7),
        ("queue", "x" * 201),
        ("queue", "a\nb"),
        ("queue", "worker:web-1"),
        ("priority", -1),
        ("priority", 10),
        ("priority", 1.0),
        ("priority", True),
        ("max_retries", -1),
        ("max_retries", True),
        ("expires", 5),
        ("expires", timedelta(seconds=-1)),
        ("result_ttl", None),
        ("result_ttl", timedelta(seconds=-1)),
        ("ignore_result", 1),
        ("broadcast", "all"),
        ("tags", ["a"]),
        ("tags", (1,)),
        ("delay", timedelta(seconds=-1)),
        ("delay", 3),
        ("eta", datetime(2026, 1, 1)),  # noqa: DTZ001  # what is refused is that it has no zone
        ("eta", "tomorrow"),
        ("on_duplicate", "ignore"),
        ("headers", {"a": 1}),
        ("headers", [("a", "b")]),
        ("meta", {1: "a"}),
        ("unique", 7),
        ("unique_key", ""),
        ("unique_for", 7),
        ("task_id", ""),
        ("task_id", "a\x00b"),
        ("wait_timeout", 3.0),
        ("retry", 3),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name_and_what_it_is(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        merge(**{name: value})
    assert f"`{name}`" in caught.value.expected
    assert caught.value.found == repr(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", 9),
        ("max_retries", 0),
        ("expires", timedelta(0)),
        ("eta", datetime(2026, 1, 1, tzinfo=UTC)),
        ("unique", "order-{order_id}"),
        ("on_duplicate", "raise"),
        ("headers", {"a": "b"}),
        ("meta", {"a": [1, None, {"b": True}]}),
        ("retry", Retry(jitter=0)),
    ],
)
def test_a_value_that_fits_is_kept(name: str, value: object) -> None:
    assert getattr(merge(**{name: value}), name) == value


def test_a_delay_and_an_eta_exclude_each_other() -> None:
    with pytest.raises(ConfigError) as caught:
        merge(delay=timedelta(seconds=1), eta=datetime(2026, 1, 1, tzinfo=UTC))
    assert "`delay`" in caught.value.expected


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"run_in": "fork"}, "run_in"),
        ({"ack": "never"}, "ack"),
        ({"lease": timedelta(milliseconds=999)}, "lease"),
        ({"lease": 10}, "lease"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": "3"}, "concurrency"),
        ({"retry": 5}, "retry"),
        ({"rate_limit": 100}, "rate_limit"),
        ({"soft_time_limit": 3}, "soft_time_limit"),
        ({"hard_time_limit": 3}, "hard_time_limit"),
        ({"accepts": 1}, "accepts"),
        ({"aliases": "old.name"}, "aliases"),
        ({"idempotent": "yes"}, "idempotent"),
        ({"attr": "not an identifier"}, "attr"),
    ],
)
def test_handler_options_that_make_no_sense_are_refused(given: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HandlerOptions(**given)
    assert f"`{name}`" in caught.value.expected


def test_the_defaults_of_a_handler_are_those_of_the_documentation() -> None:
    options = HandlerOptions()
    assert (options.retry, options.lease, options.run_in, options.ack) == (
        Retry(),
        timedelta(seconds=10),
        "auto",
        "late",
    )


def test_what_travels_of_the_options_stands_in_the_order_of_an_envelope() -> None:
    first = Envelope._fields.index("queue")
    assert Envelope._fields[first : first + len(Travelling._fields)] == Travelling._fields


def test_durations_and_times_of_options_are_reckoned_in_microseconds() -> None:
    options = PublishOptions(expires=timedelta(minutes=1), result_ttl=timedelta(seconds=2), delay=timedelta(seconds=3))
    assert (options.travelling.expires, options.travelling.result_ttl) == (60_000_000, 2_000_000)
    assert options.due == (3_000_000, None)
    assert PublishOptions(eta=datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)).due == (0, 5_000_000)
