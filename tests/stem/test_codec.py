"""Values to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from typing_extensions import TypedDict

from stem.codec import ArgumentsCodec, ParameterSpec, ResultCodec, dump_json, load_object
from stem.errors import ConfigError, InvalidArguments, ResultRefused, Undecodable

OMIT = object()


class Colour(Enum):
    GREEN = "green"


class Order(BaseModel):
    order_id: int
    amount: Decimal = Field(gt=0)


@dataclass
class Point:
    x: int
    y: int = 0


def parameter(name: str, annotation: object, *, required: bool = True, keyword_only: bool = False) -> ParameterSpec:
    return ParameterSpec(name, annotation, required, keyword_only)


def codec(*parameters: ParameterSpec) -> ArgumentsCodec:
    return ArgumentsCodec("shop.charge", parameters, omit=OMIT)


PLAIN = codec(
    parameter("order_id", int),
    parameter("locale", str, required=False),
    parameter("copies", int, required=False, keyword_only=True),
)
MODEL = codec(parameter("order", Order))


def test_a_single_model_is_the_payload_itself() -> None:
    payload = MODEL.encode((Order(order_id=1, amount=Decimal("9.90")),), {})
    assert payload == b'{"order_id":1,"amount":"9.90"}'
    assert MODEL.decode(payload) == {"order": Order(order_id=1, amount=Decimal("9.90"))}


def test_a_single_model_may_be_given_by_name() -> None:
    order = Order(order_id=1, amount=Decimal(1))
    assert MODEL.encode((), {"order": order}) == MODEL.encode((order,), {})


def test_plain_parameters_travel_as_a_map_by_name_without_what_was_not_given() -> None:
    assert PLAIN.encode((7,), {"copies": 2}) == b'{"order_id":7,"copies":2}'
    assert PLAIN.decode(b'{"order_id":7,"copies":2}') == {"order_id": 7, "copies": 2}


def test_an_argument_left_to_the_worker_is_left_out() -> None:
    assert PLAIN.encode((7, OMIT), {"copies": OMIT}) == b'{"order_id":7}'


def test_a_task_without_parameters_has_an_empty_map() -> None:
    assert codec().encode((), {}) == b"{}"
    assert codec().decode(b"{}") == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "found"),
    [
        ((), {}, "no argument for `order_id`"),
        ((1, "en", 3), {}, "3 positional arguments; it takes 2"),
        ((1,), {"order_id": 1}, "two values for `order_id`"),
        ((1,), {"colour": 1}, "`colour`"),
        (("seven",), {}, "order_id"),
        ((1, 5), {}, "locale"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name(
    args: tuple[object, ...], kwargs: dict[str, object], found: str
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        PLAIN.encode(args, kwargs)
    assert found in caught.value.found
    assert "shop.charge" in caught.value.expected


def test_a_refusal_does_not_repeat_the_value_because_it_may_be_secret() -> None:
    with pytest.raises(InvalidArguments) as caught:
        PLAIN.encode(("s3cret",), {})
    assert "s3cret" not in str(caught.value)


def test_all_arguments_that_do_not_fit_are_named_at_once() -> None:
    with pytest.raises(InvalidArguments) as caught:
        PLAIN.encode(("x", 5), {"copies": "y"})
    assert all(name in caught.value.found for name in ("order_id", "locale", "copies"))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"order_id":"x"}', b"{}", b"\xff"])
def test_a_payload_that_does_not_fit_is_undecodable(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        PLAIN.decode(payload)


VALUES: list[tuple[Any, Any]] = [
    (int, 7),
    (float, float("inf")),
    (bytes, b"\x00\xff\xfe"),
    (Decimal, Decimal("0.1000")),
    (datetime, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (timedelta, timedelta(days=1, microseconds=3)),
    (UUID, UUID(int=5)),
    (Colour, Colour.GREEN),
    (Literal["a", "b"], "b"),
    (tuple[int, str], (1, "x")),
    (set[int], {1, 2}),
    (dict[str, list[int | None]], {"a": [1, None]}),
    (Order | Point, Point(1, 2)),
    (Order, Order(order_id=1, amount=Decimal(2))),
    (None, None),
    (list[Point], [Point(1), Point(2, 3)]),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=[str(kind) for kind, _ in VALUES])
def test_a_value_comes_back_as_it_was_given(kind: object, value: object) -> None:
    arguments = codec(parameter("value", kind), parameter("other", int, required=False))
    assert arguments.decode(arguments.encode((value,), {})) == {"value": value}
    result: ResultCodec[object] = ResultCodec("shop.charge", kind)
    assert result.decode(result.encode(value)) == value


def test_a_result_of_another_type_is_refused() -> None:
    result: ResultCodec[int] = ResultCodec("shop.charge", int)
    with pytest.raises(ResultRefused) as caught:
        result.encode("seven")
    assert "shop.charge" in caught.value.expected


class Loose(TypedDict):
    """A typed dict that takes more than it names."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # how pydantic documents it
    label: str


BROKEN = Order.model_construct(order_id="none", amount=Decimal(2))
UNCHECKED: list[tuple[Any, Any]] = [
    (Order, BROKEN),
    (list[Order], [BROKEN]),
    (dict[str, Order], {"a": BROKEN}),
    (Order | None, BROKEN),
    (list, [BROKEN]),
    (dict[str, Any], {"a": BROKEN}),
    (Loose, {"label": "a", "more": BROKEN}),
    (Annotated[int, AfterValidator(str)], 7),
    (list[Annotated[int, PlainSerializer(str, return_type=int)]], [7]),
]


@pytest.mark.parametrize(("kind", "value"), UNCHECKED, ids=[str(kind) for kind, _ in UNCHECKED])
def test_what_passes_validation_though_it_is_of_another_type_is_refused_when_it_is_written(
    kind: object, value: object
) -> None:
    result: ResultCodec[object] = ResultCodec("shop.charge", kind)
    with pytest.raises(ResultRefused):
        result.encode(value)
    with pytest.raises(InvalidArguments):
        codec(parameter("value", kind), parameter("other", int, required=False)).encode((value,), {})


def test_a_result_that_json_cannot_hold_is_refused() -> None:
    result: ResultCodec[object] = ResultCodec("shop.charge", object)
    with pytest.raises(ResultRefused):
        result.encode(object())


@pytest.mark.parametrize("data", [b"", b'"x"', b"\xff"])
def test_a_stored_result_that_does_not_fit_is_undecodable(data: bytes) -> None:
    result: ResultCodec[int] = ResultCodec("shop.charge", int)
    with pytest.raises(Undecodable):
        result.decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_plain_json_comes_back_as_it_was_given(value: dict[str, object]) -> None:
    assert load_object(dump_json(value)) == value


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError):
        dump_json({"a": object()})


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_undecodable(data: bytes) -> None:
    with pytest.raises(Undecodable):
        load_object(data)
