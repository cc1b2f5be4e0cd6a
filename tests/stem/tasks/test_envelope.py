"""What travels."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stem.errors import Undecodable
from stem.tasks.envelope import Envelope, decode_envelope, encode_envelope
from stem.tasks.retry import Backoff

TEXT = st.text(max_size=20)
ENVELOPES = st.builds(
    Envelope,
    id=TEXT,
    name=TEXT,
    payload=st.binary(max_size=50),
    version=st.integers(0, 2**40),
    contract=TEXT,
    queue=TEXT,
    priority=st.integers(0, 9),
    max_retries=st.integers(0, 10_000),
    expires=st.none() | st.integers(0, 2**60),
    result_ttl=st.integers(0, 2**60),
    ignore_result=st.booleans(),
    retry=st.none()
    | st.builds(Backoff, st.integers(0, 2**50), st.floats(1, 9), st.integers(0, 2**50), st.floats(0, 1)),
    headers=st.dictionaries(TEXT, TEXT, max_size=3),
    meta=st.dictionaries(
        TEXT, st.none() | st.integers(-(2**50), 2**50) | TEXT | st.lists(TEXT, max_size=2), max_size=3
    ),
    tags=st.lists(TEXT, max_size=3).map(tuple),
    root=TEXT,
    parent=st.none() | TEXT,
)
PLAIN = Envelope(id="i", name="n", payload=b'{"a":1}')


@given(ENVELOPES)
def test_an_envelope_is_read_back_as_it_was_written(envelope: Envelope) -> None:
    assert decode_envelope(encode_envelope(envelope)) == envelope


def test_the_wire_form_is_one_header_line_and_one_payload_line() -> None:
    assert encode_envelope(PLAIN) == b'{"v":1,"id":"i","name":"n","version":1}\n{"a":1}'


def test_a_payload_may_hold_newlines() -> None:
    envelope = Envelope(id="i", name="n", payload=b"1\n\n2\n")
    assert decode_envelope(encode_envelope(envelope)).payload == b"1\n\n2\n"


def test_header_fields_of_a_later_release_are_passed_over() -> None:
    assert decode_envelope(b'{"v":1,"id":"i","name":"n","colour":"green"}\n{"a":1}') == PLAIN


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n{}",
        b"not json\n{}",
        b'{"v":1,"id":"i","name":"n"}',
        b'{"v":2,"id":"i","name":"n"}\n{}',
        b'{"v":1,"name":"n"}\n{}',
        b'{"v":1,"id":7,"name":"n"}\n{}',
        b'{"v":1,"id":"i","name":"n","priority":"high"}\n{}',
        b'{"v":1,"id":"i","name":"n","headers":[]}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":[1]}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":7}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":["a","b","c","d"]}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":[0,Infinity,9,0.1]}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":[0,NaN,9,0.1]}\n{}',
        b'{"v":1,"id":"i","name":"n","retry":[1,2,' + b"9" * 400 + b",0.1]}\n{}",
        b'{"v":1,"id":"i","name":"n","tags":7}\n{}',
        b'{"v":1,"id":"i","name":"n","tags":[7]}\n{}',
        b'{"v":1,"id":"i","name":"n","headers":{"a":7}}\n{}',
        b'{"v":1,"id":"i","name":"n","priority":true}\n{}',
        b"[1]\n{}",
        b"\xff\xfe\n{}",
    ],
)
def test_bytes_that_are_no_envelope_are_undecodable(data: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_envelope(data)


def what_is_wrong(data: bytes) -> str | None:
    """Why these bytes are no envelope; `None` when they are one."""
    try:
        decode_envelope(data)
    except Undecodable as error:
        return error.found
    return None


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_undecodable(data: bytes) -> None:
    assert what_is_wrong(data) != ""


VALUES = st.none() | st.integers() | st.floats() | TEXT | st.booleans() | st.lists(st.integers() | TEXT, max_size=5)
FIELDS = ["id", "name", "retry", "tags", "headers", "meta", "expires", "priority", "parent"]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES | st.dictionaries(TEXT, VALUES, max_size=2)))
def test_no_header_raises_anything_but_undecodable(header: dict[str, object]) -> None:
    assert what_is_wrong(json.dumps({"v": 1, **header}).encode() + b"\n{}") != ""


def test_a_representation_shows_no_payload() -> None:
    assert "secret" not in repr(Envelope(id="i", name="n", payload=b'"secret"'))
