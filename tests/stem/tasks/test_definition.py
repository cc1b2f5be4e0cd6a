"""A definition binds, validates and encodes at the producer, and hands the worker what it checked against."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic import BaseModel

from stem.errors import ConfigError, InvalidArguments, ResultRefused, Undecodable
from stem.tasks.definition import (
    DEFAULT,
    Binding,
    TaskDefinition,
    mirror,
    mirror_ctx,
    mirror_sync,
    mirror_sync_ctx,
    task_def,
)
from stem.tasks.markers import task

_KINDS = {
    "datetime": "datetime:datetime",
    "date": "datetime:date",
    "Decimal": "decimal:Decimal",
    "UUID": "uuid:UUID",
}


class Order(BaseModel):
    order_id: int
    amount: Decimal


@task_def("billing.charge", types={"Order": f"{__name__}:Order"})
def charge(order: Order) -> Order:
    raise NotImplementedError


@task_def("shop.send")
def send(receipt: str, *, locale: str = "en", copies: int = DEFAULT) -> str:
    raise NotImplementedError


@task_def("shop.plain")
def plain(a: int, b: int, c: int = 3, *, d: int, e: int = 5) -> None: ...


def untyped(definition: TaskDefinition[..., Any]) -> Callable[..., bytes]:
    """The payload of a call, made as a program without a type checker makes it."""
    return lambda *args, **kwargs: definition.call(*args, **kwargs).payload


@pytest.fixture
def lazy_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "lazy_models.py").write_text(
        "class Outer:\n    class Inner(int): pass\n\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Point:\n    x: int\n    y: int\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "lazy_models", raising=False)
    return "lazy_models"


class TestBinding:
    def test_arguments_travel_by_name_in_the_order_they_are_given(self) -> None:
        assert plain.call(1, 2, d=4).payload == b'{"a":1,"b":2,"d":4}'

    def test_a_default_that_was_not_given_is_left_to_the_worker(self) -> None:
        assert send.call("r1").payload == b'{"receipt":"r1"}'

    def test_default_given_by_hand_is_omitted_like_one_not_given(self) -> None:
        assert send.call("r1", copies=DEFAULT).payload == send.call("r1").payload

    def test_a_single_model_is_the_payload_itself(self) -> None:
        order = Order(order_id=7, amount=Decimal("9.90"))
        assert charge.call(order).payload == b'{"order_id":7,"amount":"9.90"}'
        assert charge.call(order=order).payload == charge.call(order).payload

    def test_parameters_may_be_called_self_and_to(self) -> None:
        @task_def("tests.self")
        def odd(self: int, to: str, args: int = 0) -> None: ...

        assert odd.call(self=1, to="x", args=2).payload == b'{"self":1,"to":"x","args":2}'

    def test_a_task_without_parameters_has_an_empty_payload(self) -> None:
        @task_def("tests.nothing")
        def nothing() -> None: ...

        assert nothing.call().payload == b"{}"

    @pytest.mark.parametrize(
        ("args", "kwargs", "found"),
        [
            ((), {"d": 1}, "no argument for `a`, `b`"),
            ((1, 2), {}, "no argument for `d`"),
            ((1, 2, 3, 4), {"d": 1}, "4 positional arguments; it takes 3"),
            ((1, 2), {"a": 3, "d": 4}, "two values for `a`"),
            ((1, 2), {"d": 4, "z": 9}, "`z`, which is no parameter; it has a, b, c, d, e"),
        ],
    )
    def test_a_call_that_does_not_bind_says_why(
        self, args: tuple[object, ...], kwargs: dict[str, object], found: str
    ) -> None:
        with pytest.raises(InvalidArguments) as refused:
            untyped(plain)(*args, **kwargs)
        assert found in refused.value.found
        assert refused.value.code == "STEM-E021"

    def test_a_required_argument_cannot_be_left_to_the_worker(self) -> None:
        with pytest.raises(InvalidArguments, match="no argument for `receipt`"):
            send.call(DEFAULT)


class TestValidation:
    def test_a_wrong_type_names_the_argument(self) -> None:
        with pytest.raises(InvalidArguments) as refused:
            untyped(plain)("one", 2, d=4)
        assert "a: " in refused.value.found

    def test_every_argument_that_does_not_fit_is_named(self) -> None:
        with pytest.raises(InvalidArguments) as refused:
            untyped(plain)("one", 2, d="four")
        assert "a: " in refused.value.found
        assert "d: " in refused.value.found

    def test_the_message_does_not_repeat_the_value_which_may_be_secret(self) -> None:
        with pytest.raises(InvalidArguments) as refused:
            untyped(plain)("4111-1111-1111", 2, d=4)
        assert "4111" not in str(refused.value)

    def test_a_wrong_field_of_a_model_is_named_by_its_path(self) -> None:
        with pytest.raises(InvalidArguments) as refused:
            untyped(charge)({"order_id": 1, "amount": "much"})
        assert "amount: " in refused.value.found

    def test_a_map_that_fits_the_model_is_taken_as_the_model(self) -> None:
        assert untyped(charge)({"order_id": "1", "amount": 2}) == b'{"order_id":1,"amount":"2"}'

    def test_what_goes_in_comes_out_for_the_handler(self) -> None:
        @task_def("tests.kinds", types=_KINDS)
        def kinds(
            when: datetime, day: date, money: Decimal, key: UUID, raw: bytes, many: dict[str, list[int]], ratio: float
        ) -> None: ...

        given: dict[str, Any] = {
            "when": datetime(2026, 1, 2, tzinfo=UTC),
            "day": date(2026, 1, 2),
            "money": Decimal("0.10"),
            "key": UUID(int=7),
            "raw": b"\x00\xff",
            "many": {"a": [1, 2]},
            "ratio": math.inf,
        }
        assert kinds.arguments.decode(kinds.call(**given).payload) == given

    def test_the_handler_gets_the_model_of_a_single_model_payload(self) -> None:
        order = Order(order_id=7, amount=Decimal("9.90"))
        assert charge.arguments.decode(charge.call(order).payload) == {"order": order}

    @pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"a":1}', b"\xff\xfe", b"null"])
    def test_a_payload_that_does_not_fit_is_undecodable_for_the_worker(self, payload: bytes) -> None:
        with pytest.raises(Undecodable) as refused:
            plain.arguments.decode(payload)
        assert refused.value.code == "STEM-E052"


class TestResults:
    def test_a_result_comes_back_as_its_type(self) -> None:
        order = Order(order_id=7, amount=Decimal(1))
        assert charge.decode_result(charge.results.encode(order)) == order

    def test_none_is_a_result(self) -> None:
        assert plain.decode_result(plain.results.encode(None)) is None

    def test_a_result_of_another_type_is_refused(self) -> None:
        with pytest.raises(ResultRefused) as refused:
            charge.results.encode("paid")
        assert refused.value.code == "STEM-E047"

    def test_a_result_that_cannot_be_serialised_is_refused(self) -> None:
        @task_def("tests.anything")
        def anything() -> object:
            raise NotImplementedError

        with pytest.raises(ResultRefused):
            anything.results.encode(object())

    def test_a_stored_result_that_does_not_fit_is_undecodable(self) -> None:
        with pytest.raises(Undecodable):
            charge.decode_result(b'"paid"')


class TestOptions:
    def test_options_make_a_new_definition_and_leave_the_old_one(self) -> None:
        changed = send.options(priority=9)
        assert (changed.publish_options.priority, send.publish_options.priority) == (9, 0)

    def test_later_options_win_over_earlier_ones(self) -> None:
        assert send.options(priority=9, queue="a").options(priority=1).given == {"priority": 1, "queue": "a"}

    def test_a_name_that_is_no_option_is_refused_at_once(self) -> None:
        options = cast("Callable[..., object]", send.options)
        with pytest.raises(ConfigError) as refused:
            options(prio=9)
        assert "`prio`" in refused.value.found

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("priority", -1),
            ("delay", timedelta(seconds=-1)),
            ("delay", 5),
            ("eta", datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive time is what is refused
            ("headers", {"trace": 1}),
            ("meta", {1: "x"}),
            ("unique_key", ""),
            ("task_id", "a\nb"),
            ("wait_timeout", 3),
            ("on_duplicate", "ignore"),
            ("retry", 3),
        ],
    )
    def test_a_value_that_does_not_fit_is_refused_at_once(self, name: str, value: object) -> None:
        options = cast("Callable[..., object]", send.options)
        with pytest.raises(ConfigError) as refused:
            options(**{name: value})
        assert f"`{name}`" in refused.value.expected

    def test_a_delay_and_an_eta_exclude_each_other(self) -> None:
        with pytest.raises(ConfigError, match="without `delay`"):
            send.options(delay=timedelta(seconds=1), eta=datetime(2026, 1, 1, tzinfo=UTC))

    def test_definition_options_are_checked_when_they_are_first_needed(self) -> None:
        @task_def("tests.wrong", priority=99)
        def wrong() -> None: ...

        with pytest.raises(ConfigError, match="priority"):
            wrong.call()


class TestTypes:
    def test_defining_imports_nothing_until_the_first_call(self, lazy_module: str) -> None:
        @task_def("tests.lazy", types={"Point": f"{lazy_module}:Point"})
        def lazy(point: Point) -> Point: ...  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - a name of the generated table

        assert lazy_module not in sys.modules
        lazy.load()
        assert lazy_module in sys.modules
        assert lazy.arguments.decode(b'{"point":{"x":1,"y":2}}')["point"].x == 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # the type is known at run time only

    def test_a_nested_class_is_found_by_its_qualified_name(self, lazy_module: str) -> None:
        @task_def("tests.nested", types={"Inner": f"{lazy_module}:Outer.Inner"})
        def nested(value: int) -> Inner: ...  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - a name of the generated table

        with pytest.raises(ConfigError, match="Inner"):  # found, but it is no type that can travel
            nested.load()

    def test_a_parameter_of_a_type_that_cannot_travel_is_refused_by_name(self) -> None:
        @task_def("tests.socket", types={"Portal": "stem.sync:Portal"})
        def connect(portal: Portal) -> None: ...  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - a name of the generated table

        with pytest.raises(ConfigError, match="Portal"):
            connect.load()

    @pytest.mark.parametrize("place", ["no_such_module:Thing", "stem.errors:NoSuchError"])
    def test_a_type_that_cannot_be_imported_names_task_and_place(self, place: str) -> None:
        @task_def("tests.gone", types={"Thing": place})
        def gone(thing: Thing) -> None: ...  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - a name of the generated table

        with pytest.raises(ConfigError) as refused:
            gone.load()
        assert "tests.gone" in refused.value.expected
        assert place in refused.value.found

    def test_an_annotation_that_nothing_explains_names_itself(self) -> None:
        @task_def("tests.mystery")
        def mystery(thing: Mystery) -> None: ...  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - that it is unknown is the point

        with pytest.raises(ConfigError, match="Mystery"):
            mystery.load()


class TestWorkerSide:
    def test_each_kind_of_handler_is_bound_as_what_it_is(self) -> None:
        @task_def("tests.bound")
        def bound(number: int) -> int:
            raise NotImplementedError

        async def coroutine(number: int) -> int:
            return number

        def plain_function(number: int) -> int:
            return number

        assert _shape(bound.bind(coroutine)) == (False, True)
        assert _shape(bound.bind_sync(plain_function)) == (False, False)
        assert _shape(bound.bind_ctx(cast("Any", coroutine))) == (True, True)
        assert _shape(bound.bind_sync_ctx(cast("Any", plain_function))) == (True, False)

    def test_a_binding_reads_the_handlers_own_options(self) -> None:
        @task(lease=timedelta(seconds=40))
        def handler(receipt: str, *, locale: str = "en", copies: int = 1) -> str:
            return receipt

        assert send.bind_sync(handler).options.lease == timedelta(seconds=40)

    def test_a_binding_of_an_undecorated_handler_has_the_default_options(self) -> None:
        def handler(receipt: str, *, locale: str = "en", copies: int = 1) -> str:
            return receipt

        assert send.bind_sync(handler).options.lease == timedelta(seconds=10)

    def test_a_binding_decodes_arguments_and_encodes_results(self) -> None:
        def handler(receipt: str, *, locale: str = "en", copies: int = 1) -> str:
            return receipt

        binding = send.bind_sync(handler)
        assert binding.decode_arguments(b'{"receipt":"r1"}') == {"receipt": "r1"}
        assert binding.encode_result("sent") == b'"sent"'

    def test_mirrors_are_for_type_checkers_and_do_nothing(self) -> None:
        async def coroutine(receipt: str, *, locale: str = "en", copies: int = 1) -> str:
            return receipt

        def function(receipt: str, *, locale: str = "en", copies: int = 1) -> str:
            return receipt

        assert mirror(coroutine)(send.signature)
        assert mirror_sync(function)(send.signature)
        assert mirror_ctx(cast("Any", coroutine))(cast("Any", send.signature))
        assert mirror_sync_ctx(cast("Any", function))(cast("Any", send.signature))

    def test_the_signature_is_the_stub_itself(self) -> None:
        assert list(inspect.signature(send.signature).parameters) == ["receipt", "locale", "copies"]


def test_a_definition_can_be_found_in_a_module_and_loaded_there() -> None:
    module = ModuleType("tests_generated")
    module.__dict__["send"] = send
    assert [value.name for value in vars(module).values() if isinstance(value, TaskDefinition)] == ["shop.send"]


def _shape(binding: Binding) -> tuple[bool, bool]:
    return binding.wants_context, binding.is_async
