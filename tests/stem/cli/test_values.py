"""What a person types becomes a value, or a sentence that says how to type it."""

from __future__ import annotations

import pytest

from stem.cli.values import arguments_of, queue_of


def test_a_queue_has_weight_one_unless_it_says_more() -> None:
    assert (queue_of("default"), queue_of("billing:3")) == (("default", 1), ("billing", 3))


@pytest.mark.parametrize("text", ["billing:", "billing:0", "billing:x", ":3"])
def test_a_queue_with_a_wrong_weight_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NAME:WEIGHT"):
        queue_of(text)


def test_arguments_come_from_a_document_and_pairs_win() -> None:
    assert arguments_of('{"a": 1, "b": 2}', ["b=3", "c=x", 'd={"e": [1]}']) == {
        "a": 1,
        "b": 3,
        "c": "x",
        "d": {"e": [1]},
    }


def test_dots_lead_into_an_object() -> None:
    pairs = ["mail.to=ada", "mail.from.name=bob", "urgent=true"]
    assert arguments_of('{"mail": {"cc": null}}', pairs) == {
        "mail": {"cc": None, "to": "ada", "from": {"name": "bob"}},
        "urgent": True,
    }


@pytest.mark.parametrize(
    ("document", "pairs", "message"),
    [
        ("[1]", [], "no JSON object"),
        ("{", [], "no JSON"),
        (None, ["x"], "name=value"),
        (None, ["=1"], "name=value"),
        (None, ["a=1", "a.b=2"], "no object"),
    ],
)
def test_arguments_that_are_none_say_what_they_should_be(document: str | None, pairs: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arguments_of(document, pairs)
