"""Older versions of a task's arguments, read for today's handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from stem import Registry, TaskContext, task, upcast
from stem.errors import ConfigError, Undecodable
from stem.worker.versions import Reader, older_readers


class Cents(BaseModel):
    cents: int


class Order(BaseModel):
    amount: float
    currency: str = "EUR"


class Named(TypedDict):
    order: Order
    note: str


def readers(handler: Callable[..., object]) -> dict[int, Reader]:
    (binding,) = Registry.of(handler).bindings
    return dict(older_readers(binding))


def test_an_accepted_version_is_read_as_todays() -> None:
    @task(name="t", version=2, accepts=(1,))
    def pay(order: Order) -> None: ...

    assert readers(pay)[1](b'{"amount":2}') == {"order": Order(amount=2)}


def test_an_old_model_becomes_the_new_one() -> None:
    @task(name="t", version=2)
    def pay(ctx: TaskContext, order: Order) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(order: Cents) -> Order:
        return Order(amount=order.cents / 100)

    assert readers(pay)[1](b'{"cents":150}') == {"order": Order(amount=1.5)}


def test_the_first_argument_alone_becomes_new_where_there_are_others() -> None:
    @task(name="t", version=2)
    def pay(order: Order, *, note: str = "", copies: int = 1) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(order: Cents) -> Order:
        return Order(amount=order.cents / 100)

    assert readers(pay)[1](b'{"order":{"cents":150},"note":"n"}') == {"order": Order(amount=1.5), "note": "n"}


def test_old_parameters_become_a_model() -> None:
    @task(name="t", version=2)
    def pay(order: Order) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(amount: float, currency: str = "USD") -> Order:
        return Order(amount=amount, currency=currency)

    assert readers(pay)[1](b'{"amount":2}') == {"order": Order(amount=2, currency="USD")}


def test_a_mapping_gives_all_new_arguments_by_name() -> None:
    @task(name="t", version=2)
    def pay(order: Order, note: str) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(order: Order) -> Named:
        return {"order": order, "note": "old"}

    assert readers(pay)[1](b'{"amount":2}') == {"order": Order(amount=2), "note": "old"}


def test_each_version_has_its_own_upcast() -> None:
    @task(name="t", version=3)
    def pay(amount: int) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(cents: int) -> int:
        return cents // 100

    @upcast(pay, from_version=2)
    def pay_from_2(euros: int) -> int:
        return euros

    found = readers(pay)
    assert (found[1](b'{"cents":300}'), found[2](b'{"euros":3}')) == ({"amount": 3}, {"amount": 3})


def test_what_does_not_fit_the_old_arguments_is_undecodable() -> None:
    @task(name="t", version=2)
    def pay(order: Order) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(order: Cents) -> Order:
        return Order(amount=order.cents)

    with pytest.raises(Undecodable, match="cents"):
        readers(pay)[1](b'{"cents":"many"}')


def test_what_an_upcast_gives_is_checked_like_arguments() -> None:
    @task(name="t", version=2)
    def pay(amount: int) -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(cents: int) -> dict[str, Any]:
        return {"amount": "many", "else": 1}

    with pytest.raises(Undecodable, match=r"upcast `.*pay_from_1` to give arguments that fit task 't'"):
        readers(pay)[1](b'{"cents":3}')


def test_an_upcast_that_gives_another_type_is_refused_at_the_start() -> None:
    @task(name="t", version=2)
    def pay(order: Order) -> None: ...

    def pay_from_1(order: Cents) -> Cents:
        return order

    upcast(pay, from_version=1)(pay_from_1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the wrong type is the test
    with pytest.raises(ConfigError, match="give `Order`, the first argument of task 't'"):
        readers(pay)


def test_an_upcast_of_a_handler_without_arguments_is_refused_at_the_start() -> None:
    @task(name="t", version=2)
    def pay() -> None: ...

    @upcast(pay, from_version=1)
    def pay_from_1(cents: int) -> dict[str, object]:
        return {}

    with pytest.raises(ConfigError, match="a handler without parameters"):
        readers(pay)


def test_registries_that_take_other_versions_have_other_fingerprints() -> None:
    @task(name="t", version=2)
    def pay(amount: int) -> None: ...

    before = Registry.of(pay).fingerprint

    @upcast(pay, from_version=1)
    def pay_from_1(cents: int) -> int:
        return cents

    assert Registry.of(pay).fingerprint != before
