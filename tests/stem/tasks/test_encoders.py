"""Encoders: what they make is what they read, and plain and encoded payloads live beside each other."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stem.errors import ConfigError, Undecodable
from stem.tasks.encoders import PLAIN, Base64, Encoder, Encoders, Zlib, name_of

LONG = b'{"text":"' + b"a" * 5_000 + b'"}'


@dataclass(frozen=True)
class Backwards:
    """An encoder of an application's own."""

    name: str = "backwards"

    def encode(self, data: bytes, /) -> bytes:
        return data[::-1]

    def decode(self, data: bytes, /) -> bytes:
        return data[::-1]


@pytest.mark.parametrize("encoder", [Zlib(over=0), Zlib(), Base64(), Backwards()])
@given(data=st.binary(max_size=3_000).filter(lambda data: not data.startswith(b"\0")))
def test_what_is_written_is_read(encoder: Encoder, data: bytes) -> None:
    encoders = Encoders(arguments=encoder, results=encoder)
    assert encoders.read(encoders.write_arguments("t", data)) == data
    assert encoders.read(encoders.write_result("t", data)) == data


def test_without_encoders_payloads_are_plain() -> None:
    assert PLAIN.write_arguments("t", LONG) is LONG
    assert PLAIN.read(LONG) is LONG


def test_what_is_short_or_grows_is_not_compressed() -> None:
    encoders = Encoders(arguments=Zlib(over=100))
    assert encoders.write_arguments("t", b"a" * 100) == b"a" * 100
    packed = encoders.write_arguments("t", LONG)
    assert len(packed) < 100
    assert name_of(packed) == "zlib"


def test_arguments_and_results_may_have_different_ones() -> None:
    encoders = Encoders(arguments=Base64(), results=Backwards())
    assert (name_of(encoders.write_arguments("t", b"1")), name_of(encoders.write_result("t", b"1"))) == (
        "base64",
        "backwards",
    )


def test_a_task_may_have_its_own_by_a_glob_over_its_name() -> None:
    encoders = Encoders(tasks={"reports.*": Base64()})
    assert name_of(encoders.write_arguments("reports.daily", b"1")) == "base64"
    assert encoders.write_arguments("mail.send", b"1") == b"1"


def test_built_in_ones_are_always_read_and_others_when_they_are_known() -> None:
    written = Encoders(arguments=Backwards()).write_arguments("t", b"12")
    assert PLAIN.read(Encoders(arguments=Zlib(over=0)).write_arguments("t", LONG)) == LONG
    assert Encoders(known=[Backwards()]).read(written) == b"12"
    with pytest.raises(Undecodable, match="an encoder among base64, zlib; found 'backwards'"):
        PLAIN.read(written)


@pytest.mark.parametrize(
    "data", [b"\0zlib\ngarbage", b"\0base64\n*", b"\0zlib\n" + zlib.compress(LONG)[:-5], b"\0", b"\0x"]
)
def test_what_is_damaged_is_undecodable(data: bytes) -> None:
    with pytest.raises(Undecodable):
        PLAIN.read(data)


def test_what_would_grow_without_bound_is_refused() -> None:
    bomb = b"\0zlib\n" + zlib.compress(b"\0" * (65 * 1024 * 1024))
    with pytest.raises(Undecodable, match="beyond 64 MiB"):
        PLAIN.read(bomb)


def test_two_encoders_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two that are named 'zlib'"):
        Encoders(arguments=Backwards("zlib"), results=Zlib())


@pytest.mark.parametrize("name", ["", "a\nb", "ä"])
def test_a_name_that_cannot_stand_in_a_line_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="printable ASCII"):
        Encoders(arguments=Backwards(name))
