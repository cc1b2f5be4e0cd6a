from __future__ import annotations

import pytest

from stem_builder.lock import TypeSchema, package_contract, task_contract
from stem_builder.lock.contract import default_value
from stem_builder.lock.normalise import Json
from stem_builder.model import Default, Task
from tests.stem_builder.samples import builtin, package, parameter, ref, symbol, task

INT, STR = ref(builtin("int")), ref(builtin("str"))
ORDER, MOVED = ref(symbol("shop.models", "Order")), ref(symbol("shop.other", "Order"))
SHAPE = TypeSchema({"type": "object"}, {"type": "object"})
TYPES = {
    INT: TypeSchema({"type": "integer"}, {"type": "integer"}),
    STR: TypeSchema({"type": "string"}, {"type": "string"}),
    ref("None"): TypeSchema({"type": "null"}, {"type": "null"}),
    ORDER: SHAPE,
    MOVED: SHAPE,
}
BASE = task("charge", [parameter("order", ORDER), parameter("copies", INT, "1")])


def contract(one: Task) -> str:
    return task_contract(one, TYPES)


DIFFERENT = {
    "another type": task("charge", [parameter("order", STR), parameter("copies", INT, "1")]),
    "another name of a parameter": task("charge", [parameter("item", ORDER), parameter("copies", INT, "1")]),
    "another default": task("charge", [parameter("order", ORDER), parameter("copies", INT, "2")]),
    "no default": task("charge", [parameter("order", ORDER), parameter("copies", INT)]),
    "a computed default": task("charge", [parameter("order", ORDER), parameter("copies", INT, "...")]),
    "one parameter less": task("charge", [parameter("order", ORDER)]),
    "another result": task("charge", BASE.parameters, result=INT),
    "another version": task("charge", BASE.parameters, version=2),
    "another name": task("bill", BASE.parameters),
}
SAME = {
    "another kind of parameter": task(
        "charge", [parameter("order", ORDER), parameter("copies", INT, "1", keyword=True)]
    ),
    "another order": task("charge", [parameter("copies", INT, "1"), parameter("order", ORDER)]),
    "a model that moved": task("charge", [parameter("order", MOVED), parameter("copies", INT, "1")]),
    "another queue": task("charge", BASE.parameters, queue="vip"),
    "another handler": task(
        "charge", BASE.parameters, module="shop.other", is_async=False, has_context=True, doc="New."
    ),
}


@pytest.mark.parametrize("change", DIFFERENT)
def test_what_the_wire_notices_changes_the_contract(change: str) -> None:
    assert contract(DIFFERENT[change]) != contract(BASE)


@pytest.mark.parametrize("change", SAME)
def test_what_the_wire_does_not_notice_leaves_the_contract(change: str) -> None:
    assert contract(SAME[change]) == contract(BASE)


def test_the_direction_of_writing_is_part_of_the_contract() -> None:
    written = TYPES | {ORDER: TypeSchema({"type": "object"}, {"type": "string"})}
    assert task_contract(BASE, written) != contract(BASE)


def test_the_contract_of_a_package_follows_those_of_its_tasks() -> None:
    shop = package(BASE)
    first = package_contract(shop, {"shop.charge": "a"})
    assert first.startswith("sha256:")
    assert len(first) == len("sha256:") + 16
    assert first != package_contract(shop, {"shop.charge": "b"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"en"', "en"),
        ("1", 1),
        ("None", None),
        ("True", True),
        ("(1, 2)", {"$python": "(1, 2)"}),
        ('b"x"', {"$python": 'b"x"'}),
        ("1.5", 1.5),
        ("1e999", {"$python": "1e999"}),
        ('"ü"', "ü"),
        (r'"\ud800"', {"$python": r'"\ud800"'}),
    ],
)
def test_a_literal_default_is_json_or_its_text(text: str, value: Json) -> None:
    assert default_value(Default(ref(text))) == value


def test_a_member_of_an_enum_is_named_by_its_home() -> None:
    assert default_value(Default(ref(symbol("shop", "Colour", "shop.models:Colour"), ".RED"))) == {
        "$python": "shop.models:Colour.RED"
    }


def test_a_computed_default_says_so() -> None:
    assert default_value(Default(None)) == {"$computed": True}
