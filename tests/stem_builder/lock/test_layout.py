from __future__ import annotations

import json

import pytest

from stem_builder.lock.layout import lay_out
from stem_builder.lock.normalise import Json

LONG: list[Json] = ["word" * 10] * 5
VALUES: dict[str, Json] = {
    "a scalar": "ü",
    "nothing": {},
    "nested": {"b": {"d": 1, "c": [1, 2]}, "a": []},
    "wide": {"list": LONG, "object": {"k" * 80: 1, "l" * 80: 2, "m": LONG}},
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("opened", [0, 1, 9])
def test_the_layout_does_not_change_the_value(name: str, opened: int) -> None:
    assert json.loads(lay_out(VALUES[name], opened=opened)) == VALUES[name]


def test_what_fits_stands_on_one_line() -> None:
    assert lay_out(VALUES["nested"], opened=0) == '{"a": [], "b": {"c": [1, 2], "d": 1}}\n'


def test_opened_levels_have_a_line_per_member() -> None:
    assert lay_out(VALUES["nested"], opened=1) == '{\n "a": [],\n "b": {"c": [1, 2], "d": 1}\n}\n'


def test_what_does_not_fit_has_a_line_per_member() -> None:
    assert max(len(line) for line in lay_out(VALUES["wide"], opened=0).splitlines()) <= 170
    assert lay_out(LONG, opened=0).count("\n") == len(LONG) + 2
