"""The decorator returns the function itself and refuses at once what makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from stem.errors import ConfigError
from stem.tasks.markers import TaskMark, mark_of, task
from stem.tasks.options import HandlerOptions
from stem.tasks.retry import Retry


def double(number: int) -> int:
    return number * 2


def marked(**options: object) -> TaskMark:
    """The mark of a function that was decorated with these options, as an untyped program would write them."""
    decorate = cast("Callable[..., Callable[[object], object]]", task)

    def handler() -> None: ...

    mark = mark_of(decorate(**options)(handler))
    assert mark is not None
    return mark


def test_the_decorator_returns_the_function_itself() -> None:
    def treble(number: int) -> int:
        return number * 3

    assert task(treble) is treble
    assert task(name="tests.treble")(treble) is treble
    assert treble(7) == 21


def test_a_function_without_the_decorator_has_no_mark() -> None:
    assert mark_of(double) is None


def test_something_else_under_the_marks_attribute_is_no_mark() -> None:
    class Pretender:
        __stem_task__ = "a task, honestly"

    assert mark_of(Pretender()) is None


def test_the_plain_decorator_gives_every_option_its_default() -> None:
    assert task(lambda: None).__stem_task__ == TaskMark()  # type: ignore[attr-defined]  # the mark is set on the function
    assert TaskMark().handler == HandlerOptions()


def test_options_go_to_their_two_homes() -> None:
    mark = marked(
        name="billing.charge", version=3, queue="billing", max_retries=7, lease=timedelta(seconds=30), ack="early"
    )
    assert (mark.name, mark.version) == ("billing.charge", 3)
    assert mark.definition == {"queue": "billing", "max_retries": 7}
    assert mark.handler == HandlerOptions(lease=timedelta(seconds=30), ack="early")


def test_retry_is_the_workers_and_does_not_travel() -> None:
    retry = Retry(initial=timedelta(seconds=1), give_up_on=(KeyError,))
    mark = marked(retry=retry)
    assert mark.handler.retry is retry
    assert mark.definition == {}


def test_none_given_on_purpose_is_not_the_same_as_nothing_given() -> None:
    assert marked(expires=None).definition == {"expires": None}
    assert marked().definition == {}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"name": "broadcast:mail"}, "name"),
        ({"aliases": ("broadcast:mail",)}, "aliases"),
        ({"colour": "red"}, "colour"),
        ({"name": 3}, "name"),
        ({"name": ""}, "name"),
        ({"queue": ""}, "queue"),
        ({"queue": "two\nlines"}, "queue"),
        ({"priority": 10}, "priority"),
        ({"priority": True}, "priority"),
        ({"max_retries": -1}, "max_retries"),
        ({"expires": 5}, "expires"),
        ({"result_ttl": timedelta(seconds=-1)}, "result_ttl"),
        ({"ignore_result": "yes"}, "ignore_result"),
        ({"tags": "money"}, "tags"),
        ({"run_in": "fork"}, "run_in"),
        ({"ack": "never"}, "ack"),
        ({"lease": timedelta(milliseconds=10)}, "lease"),
        ({"concurrency": 0}, "concurrency"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": "2"}, "version"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_where_it_is_written(options: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        marked(**options)
    assert f"`{named}`" in str(refused.value)
    assert refused.value.code == "STEM-E001"
