from __future__ import annotations

import pytest

from stem_builder.lock.normalise import Schema, canonical, normalise

INTEGER: Schema = {"type": "integer"}

CASES: dict[str, tuple[Schema, Schema]] = {
    "words for people are dropped": (
        {"title": "T", "description": "D", "examples": [1], "type": "integer"},
        INTEGER,
    ),
    "a property may be called title": (
        {"properties": {"title": {"title": "Title", "type": "string"}}, "type": "object"},
        {"properties": {"title": {"type": "string"}}, "type": "object"},
    ),
    "open objects need not say so": ({"additionalProperties": True, "type": "object"}, {"type": "object"}),
    "closed objects do": (
        {"additionalProperties": False, "type": "object"},
        {"additionalProperties": False, "type": "object"},
    ),
    "enum beside const is noise": ({"const": "a", "enum": ["a"]}, {"const": "a"}),
    "a choice of one is that one": ({"enum": ["a"], "type": "string"}, {"const": "a", "type": "string"}),
    "the pattern of a decimal is noise": (
        {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "type": "string"},
        {"type": "string"},
    ),
    "a pattern is kept": ({"pattern": "^a$", "type": "string"}, {"pattern": "^a$", "type": "string"}),
    "required is a set": ({"required": ["b", "a"]}, {"required": ["a", "b"]}),
    "the members of a union are a set": (
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
    ),
    "data is not touched": (
        {"default": {"title": "x", "required": ["b", "a"]}},
        {"default": {"title": "x", "required": ["b", "a"]}},
    ),
    "allOf of one is that one": (
        {"allOf": [{"$ref": "#/$defs/A"}], "default": 1, "$defs": {"A": INTEGER}},
        {"type": "integer", "default": 1},
    ),
    "what is used once stands where it is used": (
        {"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"title": "A", "type": "integer"}}},
        {"items": INTEGER},
    ),
    "what is used twice stays a definition": (
        {"prefixItems": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}], "$defs": {"A": INTEGER}},
        {"prefixItems": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}], "$defs": {"A": INTEGER}},
    ),
    "what is used by one definition moves into it": (
        {
            "prefixItems": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}],
            "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": INTEGER},
        },
        {
            "prefixItems": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}],
            "$defs": {"A": {"items": INTEGER}},
        },
    ),
    "a definition of itself stays": (
        {"$ref": "#/$defs/Tree", "$defs": {"Tree": {"items": {"$ref": "#/$defs/Tree"}}}},
        {"$ref": "#/$defs/Tree", "$defs": {"Tree": {"items": {"$ref": "#/$defs/Tree"}}}},
    ),
    "what a discriminator names stays a definition": (
        {
            "discriminator": {"mapping": {"a": "#/$defs/A"}, "propertyName": "kind"},
            "oneOf": [{"$ref": "#/$defs/A"}],
            "$defs": {"A": INTEGER},
        },
        {
            "discriminator": {"mapping": {"a": "#/$defs/A"}, "propertyName": "kind"},
            "oneOf": [{"$ref": "#/$defs/A"}],
            "$defs": {"A": INTEGER},
        },
    ),
    "what nothing names is dropped": ({"type": "null", "$defs": {"A": INTEGER}}, {"type": "null"}),
}


@pytest.mark.parametrize("case", CASES)
def test_schemas_have_one_form(case: str) -> None:
    given, expected = CASES[case]
    assert normalise(given) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_normal_form_is_its_own_normal_form(case: str) -> None:
    once = normalise(CASES[case][0])
    assert normalise(once) == once


def test_the_canonical_text_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"\\u00fc","b":1}' == canonical({"a": "ü", "b": 1})
