"""Commands and answers: what is said is what is read, and what is no command is refused."""

from __future__ import annotations

import pytest

from stem.codec import dump_json
from stem.contracts.commands import (
    Answer,
    Command,
    decode_answer,
    decode_command,
    encode_answer,
    encode_command,
)
from stem.errors import Undecodable

WHOLE = Command(id="c", kind="stop", workers=("web-*", "one"), valid=5, arguments={"mode": "soft"})


def test_a_command_is_read_as_it_was_said() -> None:
    assert decode_command("c", encode_command(WHOLE)) == WHOLE


def test_an_answer_is_read_as_it_was_given() -> None:
    answer = Answer(worker="one", value={"running": 3}, error="no")
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize(("worker", "meant"), [("web-1", True), ("one", True), ("one-more", False), ("db-1", False)])
def test_a_command_is_for_the_workers_whose_names_fit(worker: str, meant: bool) -> None:
    assert WHOLE.is_for(worker) is meant


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        dump_json({"kind": "explode", "workers": ["*"], "valid": 1, "arguments": {}}),
        dump_json({"kind": "ping", "workers": "*", "valid": 1, "arguments": {}}),
        dump_json({"kind": "ping", "workers": [1], "valid": 1, "arguments": {}}),
        dump_json({"kind": "ping", "workers": ["*"], "valid": "x", "arguments": {}}),
        dump_json({"kind": "ping", "workers": ["*"], "valid": 1, "arguments": []}),
        dump_json({"kind": ["ping"], "workers": ["*"], "valid": 1, "arguments": {}}),
    ],
)
def test_what_is_no_command_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_command("c", body)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"worker":1,"value":{},"error":null}', b'{"worker":"w","value":[]}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_answer(body)
