"""A call is plain data: comparable, harmless in a log, complete without its definition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.tasks.call import TaskCall
from stem.tasks.definition import task_def


@task_def("billing.charge", version=2, contract="c1", queue="billing")
def charge(order_id: int, card: str = "visa") -> str:
    raise NotImplementedError


def test_a_call_holds_everything_that_is_needed_to_enqueue_it() -> None:
    call = charge.call(7, card="amex")
    assert (call.name, call.version, call.contract) == ("billing.charge", 2, "c1")
    assert call.payload == b'{"order_id":7,"card":"amex"}'
    assert call.options.queue == "billing"


def test_a_call_reads_its_own_result() -> None:
    assert charge.call(7).decode_result(b'"paid"') == "paid"


def test_calls_of_the_same_arguments_are_equal() -> None:
    assert charge.call(7) == charge.call(order_id=7)
    assert charge.call(7) != charge.call(8)


def test_a_call_cannot_be_changed() -> None:
    call = charge.call(7)
    with pytest.raises(AttributeError):
        call.name = "billing.refund"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # that it fails is the point


def test_the_arguments_do_not_appear_when_a_call_is_printed() -> None:
    assert "4111-1111" not in repr(charge.call(7, card="4111-1111"))


def test_a_call_keeps_what_was_given_apart_from_the_defaults() -> None:
    call = charge.options(delay=timedelta(minutes=1)).call(7)
    assert call.given == {"queue": "billing", "delay": timedelta(minutes=1)}
    assert call.options.max_retries == 3


def test_arguments_are_encoded_when_the_call_is_made() -> None:
    amounts = [1, 2]

    @task_def("tests.total")
    def total(amounts: list[int]) -> int:
        raise NotImplementedError

    call: TaskCall[int] = total.call(amounts)
    amounts.append(3)
    assert call.payload == b'{"amounts":[1,2]}'
