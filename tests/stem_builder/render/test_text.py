from __future__ import annotations

import ast

import pytest

from stem_builder.render.text import docstring, quote, seal, sealed_body

HOSTILE = [
    "",
    "plain",
    'a "quoted" word',
    'ends with a quote"',
    '"""',
    'x""""""y',
    "back\\slash",
    "ends with a backslash\\",
    "\\N{DASH}",
    "tab\tand\nline",
    "null\x00 bell\x07 return\r",
    "right to left \u202e mark",
    "separator \u2028 and \ufeff mark",
    "surrogate \ud800 alone",
    "ümläut 漢字 🙂",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_quoted_string_is_the_same_string_for_python(text: str) -> None:
    literal = quote(text)
    assert ast.literal_eval(literal) == text
    assert "\n" not in literal


@pytest.mark.parametrize("text", HOSTILE)
def test_a_docstring_says_the_same_and_never_ends_early(text: str) -> None:
    source = f'"""{docstring(text, "")}\n"""'
    assert ast.literal_eval(source) == f"{text}\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_can_be_written_as_utf_8(text: str) -> None:
    assert quote(text).encode().decode() == quote(text)


def test_the_lines_of_a_docstring_are_indented_and_empty_ones_are_empty() -> None:
    assert docstring("one\n\n  two  \nthree", "    ") == "one\n\n      two\n    three"


GENERATED = "# head\n# stem-body: sha256:0000000000000000\nx = 1\n"


def test_a_sealed_text_is_recognised() -> None:
    assert sealed_body(seal(GENERATED))


@pytest.mark.parametrize("edit", [("x = 1", "x = 2"), ("# head", "# heap"), ("\nx", "\n\nx")])
def test_any_edit_breaks_the_seal(edit: tuple[str, str]) -> None:
    assert not sealed_body(seal(GENERATED).replace(*edit))


def test_a_text_without_a_seal_is_not_sealed() -> None:
    assert not sealed_body("x = 1\n")
