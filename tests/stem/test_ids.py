"""Identifiers."""

from __future__ import annotations

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from stem.ids import derived_id, new_id

FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PARTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x1f")) | st.integers(0, 99), min_size=1, max_size=4
)


def test_a_new_id_is_a_uuid_of_version_7() -> None:
    value = uuid.UUID(new_id())
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_new_ids_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_new_ids_sort_by_the_time_they_were_made() -> None:
    times = [uuid.UUID(new_id()).int >> 80 for _ in range(1_000)]
    assert times == sorted(times)


@given(PARTS)
def test_a_derived_id_is_the_same_for_the_same_parts(parts: list[str | int]) -> None:
    assert derived_id(*parts) == derived_id(*parts)
    assert FORM.fullmatch(derived_id(*parts))


@given(PARTS, PARTS)
def test_derived_ids_differ_where_the_parts_do(one: list[str | int], other: list[str | int]) -> None:
    same = list(map(str, one)) == list(map(str, other))
    assert (derived_id(*one) == derived_id(*other)) is same


def test_a_derived_id_stays_what_it_was_in_earlier_releases() -> None:
    assert derived_id("task", 0, 1) == DERIVED
    assert uuid.UUID(DERIVED).version == 8


DERIVED = "713b0b89-5f2a-83d2-afcf-7b7d45076b0f"
