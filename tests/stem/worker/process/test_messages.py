"""What a worker and its child say to each other arrives as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stem import Retry
from stem.errors import DuplicateTask, PayloadTooLarge, Undecodable
from stem.tasks.options import EnqueueOptions
from stem.worker.process.calls import call_of, error_of, plain_call, plain_error
from stem.worker.process.messages import (
    PREFIX,
    Answer,
    Ask,
    Beat,
    Done,
    Failed,
    Message,
    Report,
    Said,
    Setup,
    decode,
    encode,
    lengths,
)
from tests.stem.worker.process import tasks


@pytest.mark.parametrize(
    "message",
    [
        Setup(["/a", ""], "worker-1", 20, None),
        Done(3, 1024, b"\x00\n{}\xff"),
        Failed(
            number=1, memory=2, kind="K", message="m", traceback="t", code="", repeated=True, delay=None, reason=None
        ),
        Report(0.5, None, "half", {"page": [1, None, "x"]}),
        Ask(1, True, {"name": "x", "given": {"tags": ["a"]}}, b"[1]"),
        Answer(1, error={"kind": "StemError"}),
        Said(30, "shop", "a line\nand another", {"page": 7}),
        Beat(),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    frame = encode(message)
    head, body = lengths(frame[:PREFIX])

    assert len(frame) == PREFIX + head + body
    assert decode(frame[PREFIX : PREFIX + head], frame[PREFIX + head :]) == message


@pytest.mark.parametrize("head", [b"", b"[]", b"{}", b'{"is":"Bang"}', b'{"is":"Done"}', b'{"is":"Beat","more":1}'])
def test_anything_else_is_refused(head: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(head, b"")


def test_a_call_keeps_its_options() -> None:
    options = EnqueueOptions(
        delay=timedelta(seconds=3, microseconds=1),
        expires=None,
        result_ttl=timedelta(days=2),
        retry=Retry(timedelta(seconds=1), 3.0, timedelta(minutes=1), 0.5),
        tags=("a", "b"),
        meta={"delay": 7, "deep": {"eta": None}},
        headers={"trace": "1"},
        priority=4,
        unique_key="k",
    )
    call = tasks.WHERE.options(**options).call()._replace(rate_key="r", concurrency_key="c")
    arrived = call_of(plain_call(call), call.payload)

    assert arrived._replace(given=call.given, decode_result=call.decode_result) == call


def test_a_time_of_a_call_arrives_exactly() -> None:
    eta = datetime(2027, 3, 28, 1, 59, 59, 123457, tzinfo=UTC)
    call = tasks.WHERE.options(eta=eta).call()

    assert call_of(plain_call(call), call.payload).options.eta == eta


def test_errors_of_ours_arrive_as_what_they_are() -> None:
    error = DuplicateTask(expected="e", found="f", do="d", holder="task-1")
    again = error_of(plain_error(error))

    assert isinstance(again, DuplicateTask)
    assert (str(again), again.holder) == (str(error), "task-1")
    assert isinstance(error_of(plain_error(PayloadTooLarge(expected="e", found="f", do="d"))), PayloadTooLarge)


def test_other_errors_arrive_by_name_and_text() -> None:
    again = error_of(plain_error(KeyError("x")))

    assert (type(again), str(again)) == (RuntimeError, "KeyError: 'x'")
