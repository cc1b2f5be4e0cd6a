from __future__ import annotations

import json

import pytest

from stem.errors import BuildError
from stem_builder.lock import TypeSchema, contract_document, lock_document, lock_entry, read_lock
from tests.stem_builder.samples import builtin, package, parameter, ref, symbol, task

INT = ref(builtin("int"))
ORDER = ref(symbol("shop.models", "Order"))
DATE = ref(symbol("datetime", "date"))
ORDERS = ref(builtin("list"), "[", symbol("shop.models", "Order"), "]")
HIDDEN = ref(symbol("shop.tasks", "Draft"))
TYPES = {
    INT: TypeSchema({"type": "integer"}, {"type": "integer"}),
    ORDER: TypeSchema({"type": "object", "properties": {}}, {"type": "string"}),
    DATE: TypeSchema({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
    ORDERS: TypeSchema({"items": {"$ref": "#/$defs/O"}, "$defs": {"O": {}}}, {"type": "array"}),
    HIDDEN: TypeSchema(
        {"$opaque": "shop.tasks:Draft", "hash": "00"}, {"$opaque": "shop.tasks:Draft", "hash": "00"}, True
    ),
    ref("None"): TypeSchema({"type": "null"}, {"type": "null"}),
}
SHOP = package(
    task("bulk", [parameter("orders", ORDERS), parameter("draft", HIDDEN)], result=ORDER),
    task(
        "charge",
        [parameter("order", ORDER), parameter("n", INT, "1"), parameter("on", DATE)],
        options={"max_retries": ref("5")},
    ),
)
CONTRACTS = {"shop.bulk": "aaaa", "shop.charge": "bbbb"}
ENTRY = lock_entry(SHOP, TYPES, contract="sha256:cccc", contracts=CONTRACTS)
TEXT = lock_document({"shop": ENTRY}, version="1.2.3")


def test_the_lock_has_a_line_for_everything_that_fits_on_one() -> None:
    rows = [line.strip() for line in TEXT.splitlines()]
    assert [row.partition(":")[0] for row in rows if row.startswith('"shop.')] == [
        '"shop.models',
        '"shop.tasks',
        '"shop.bulk"',
        '"shop.charge"',
    ]
    assert max(len(line) for line in TEXT.splitlines()) <= 170
    assert TEXT.endswith("}\n")


def test_what_does_not_fit_on_a_line_has_a_line_per_member() -> None:
    rows = TEXT.splitlines()
    start = rows.index('    "shop.charge": {')
    assert [row.partition(":")[0] for row in rows[start + 1 : start + 4]] == [
        '     "contract"',
        '     "handler"',
        '     "options"',
    ]


def test_the_lock_names_models_and_their_hashes() -> None:
    charge = json.loads(TEXT)["packages"]["shop"]["tasks"]["shop.charge"]
    models = json.loads(TEXT)["packages"]["shop"]["models"]
    assert charge["params"][0]["type"] == {"$model": "shop.models:Order", "hash": models["shop.models:Order"]["hash"]}
    assert models["shop.models:Order"]["serialization"] == {"type": "string"}


def test_a_type_without_a_shape_of_its_own_is_its_schema() -> None:
    charge = json.loads(TEXT)["packages"]["shop"]["tasks"]["shop.charge"]
    assert charge["params"][2]["type"] == {"format": "date", "type": "string"}


def test_the_lock_says_how_each_parameter_is_taken() -> None:
    charge = json.loads(TEXT)["packages"]["shop"]["tasks"]["shop.charge"]
    assert charge["params"][1] == {
        "default": 1,
        "kind": "positional_or_keyword",
        "name": "n",
        "required": False,
        "type": {"type": "integer"},
    }
    assert charge["options"] == {"max_retries": "5"}
    assert charge["handler"] == "shop.tasks:charge"


def test_the_lock_says_what_is_opaque() -> None:
    bulk = json.loads(TEXT)["packages"]["shop"]["tasks"]["shop.bulk"]
    assert bulk["params"][1]["type"]["opaque"] is True


def test_the_lock_can_be_read_again() -> None:
    assert read_lock(TEXT) == {"shop": ENTRY}


@pytest.mark.parametrize(
    "text", ["", "<<<<<<< HEAD", "[]", '{"lock_version": 99, "packages": {}}', '{"lock_version": 1}']
)
def test_a_text_that_is_no_lock_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(BuildError, match="stem-build gen"):
        read_lock(text)


def test_the_run_time_schemas_describe_a_map_of_arguments_and_the_result() -> None:
    document = json.loads(contract_document(SHOP, TYPES, contract="sha256:cccc", contracts=CONTRACTS))
    assert document["contract"] == "sha256:cccc"
    assert document["tasks"]["shop.charge"] == {
        "version": 1,
        "contract": "bbbb",
        "arguments": {
            "type": "object",
            "properties": {
                "order": {"type": "object", "properties": {}},
                "n": {"type": "integer"},
                "on": {"type": "string", "format": "date"},
            },
            "required": ["order", "on"],
            "additionalProperties": False,
        },
        "result": {"type": "null"},
    }


def test_definitions_inside_an_argument_are_found_from_the_whole_document() -> None:
    document = json.loads(contract_document(SHOP, TYPES, contract="sha256:cccc", contracts=CONTRACTS))
    bulk = document["tasks"]["shop.bulk"]
    assert bulk["arguments"]["properties"]["orders"]["items"] == {"$ref": "#/properties/orders/$defs/O"}
    assert bulk["arguments"]["properties"]["draft"] == {}
    assert bulk["result"] == {"type": "string"}
