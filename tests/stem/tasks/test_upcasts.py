"""`@upcast`: what it marks, and what it refuses."""

from __future__ import annotations

import types

import pytest
from pydantic import BaseModel

from stem import task, upcast
from stem.errors import ConfigError
from stem.tasks.upcasts import upcasts_of


class Old(BaseModel):
    cents: int


class New(BaseModel):
    amount: float


@task(version=3)
async def charge(order: New) -> str:
    return str(order.amount)


@upcast(charge, from_version=1)
def charge_from_1(order: Old) -> New:
    return New(amount=order.cents / 100)


def later(order: New) -> New:
    return order


def test_the_function_itself_is_returned() -> None:
    assert charge_from_1(Old(cents=150)) == New(amount=1.5)


def test_the_upcasts_of_a_handler_are_known_by_their_versions() -> None:
    assert dict(upcasts_of(charge)) == {1: charge_from_1}


@pytest.mark.parametrize("version", [0, 3, 4])
def test_only_an_older_version_can_be_begun_from(version: int) -> None:
    with pytest.raises(ConfigError, match=f"from_version={version}"):
        upcast(charge, from_version=version)


def test_a_second_upcast_from_one_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="two for version 1, the other is charge_from_1"):
        upcast(charge, from_version=1)(later)


def test_a_function_without_task_has_no_upcasts() -> None:
    with pytest.raises(ConfigError, match="without @task"):
        upcast(later, from_version=1)


def test_an_upcast_in_another_module_is_refused() -> None:
    elsewhere = types.FunctionType(later.__code__, {"__name__": "elsewhere"})
    with pytest.raises(ConfigError, match="module elsewhere"):
        upcast(charge, from_version=2)(elsewhere)
