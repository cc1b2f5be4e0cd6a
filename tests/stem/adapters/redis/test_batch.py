"""A batch as the arguments of a script: what is packed, and what is JSON."""

from __future__ import annotations

import json
import struct
from typing import NamedTuple

import pytest

from stem.adapters.redis.batch import Encoded, encode_changes
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import APPLIED, Change, Fence, Publish, Refused, Settle, UniqueKey
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing.contracts import Bench, publish

LARGEST = 1_000_000
FENCE = Fence("id", 1, "nonce")
END = Settle(TaskEvent.SUCCEEDED, b"1")


class Run(NamedTuple):
    letter: str
    texts: tuple[str, str]
    numbers: tuple[int, int]
    size: int
    first: int
    step: int


def _runs(encoded: Encoded) -> list[Run]:
    runs: list[Run] = []
    text = encoded.text
    while text:
        letter, size = struct.unpack_from(">cI", text)
        one, second = text[5 : 5 + size], text[5 + size :]
        (size,) = struct.unpack_from(">I", second)
        two, rest = second[4 : 4 + size], second[4 + size :]
        *numbers, count, first, step = struct.unpack_from(">qqIIB", rest)
        runs.append(Run(letter.decode(), (one.decode(), two.decode()), (numbers[0], numbers[1]), count, first, step))
        text = rest[25:]
    return runs


def _letters(*changes: Change) -> tuple[str, int]:
    """In which order packed changes and others come, and how many others there are."""
    encoded = encode_changes(changes, LARGEST)
    others = json.loads(encoded.others or b"[]")
    return "".join(run.letter * run.size for run in _runs(encoded)), len(others)


def test_ordinary_publishes_and_ends_are_packed() -> None:
    assert _letters(Change((publish(),)), Change((END,), FENCE)) == ("PS", 0)


def test_alike_publishes_are_one_run_that_says_once_what_they_share() -> None:
    writes = [publish(queue="mäil", name="send", priority=7, delay=9) for _ in range(3)]
    encoded = encode_changes([Change((write,)) for write in writes], LARGEST)
    assert _runs(encoded) == [Run("P", ("mäil", "send"), (7, 9), 3, 1, 3)]
    assert encoded.blobs[::3] == [write.envelope.id.encode() for write in writes]
    assert encoded.blobs[2::3] == [write.body for write in writes]


@pytest.mark.parametrize(
    "other",
    [publish(queue="q"), publish(name="n"), publish(priority=1), publish(delay=1)],
    ids=["queue", "name", "priority", "delay"],
)
def test_a_publish_that_differs_begins_a_run(other: Publish) -> None:
    encoded = encode_changes([Change((publish(),)), Change((publish(),)), Change((other,))], LARGEST)
    assert [(run.size, run.first) for run in _runs(encoded)] == [(2, 1), (1, 7)]


def test_alike_ends_are_one_run() -> None:
    ends = [Change((END,), Fence(f"id-{number}", 1, "nonce")) for number in range(2)]
    encoded = encode_changes(ends, LARGEST)
    assert _runs(encoded) == [Run("S", ("nonce", TaskState.SUCCEEDED.value), (1, 1), 2, 1, 2)]
    assert encoded.blobs == [b"id-0", b"1", b"id-1", b"1"]


@pytest.mark.parametrize(
    ("end", "fence", "number"),
    [
        (END, Fence("id", 1, "other"), 1),
        (END, Fence("id", 2, "nonce"), 1),
        (END, FENCE, 2),
        (Settle(TaskEvent.SUCCEEDED, None), FENCE, 1),
        (Settle(TaskEvent.FAILED, b"1"), FENCE, 1),
    ],
    ids=["nonce", "counter", "number", "no result", "state"],
)
def test_an_end_that_differs_begins_a_run(end: Settle, fence: Fence, number: int) -> None:
    encoded = encode_changes([Change((END,), FENCE), Change((end,), fence, number)], LARGEST)
    assert [(run.letter, run.size, run.first) for run in _runs(encoded)] == [("S", 1, 1), ("S", 1, 3)]


def test_runs_come_in_the_order_of_the_changes() -> None:
    special = Change((publish(not_before=5),))
    assert _letters(special, special, Change((publish(),)), special, Change((END,), FENCE)) == ("JJPJS", 3)


@pytest.mark.parametrize("number", [-1, 1 << 63])
def test_an_end_with_a_number_that_a_run_cannot_say_is_json(number: int) -> None:
    assert _letters(Change((END,), FENCE, number)) == ("J", 1)


@pytest.mark.parametrize(
    "write",
    [publish(unique=UniqueKey("k")), publish(not_before=5), publish(expires=5)],
    ids=["unique", "not before", "expires"],
)
def test_a_publish_with_anything_special_is_json(write: Publish) -> None:
    assert _letters(Change((publish(),)), Change((write,))) == ("PJ", 1)


def test_an_end_with_an_error_or_with_further_writes_is_json() -> None:
    failed = Settle(TaskEvent.FAILED, None, error=Failure("E", "no"))
    assert _letters(Change((failed,), FENCE), Change((END, publish()), FENCE)) == ("JJ", 2)


def test_bytes_are_counted_over_packed_changes_and_others() -> None:
    encoded = encode_changes([Change((publish(),)), Change((publish(not_before=5),)), Change((END,), FENCE)], LARGEST)
    assert json.loads(encoded.others)[0][4][5] == 4
    assert (len(encoded.blobs), encoded.blobs[-1]) == (7, b"1")


def test_what_cannot_be_written_is_refused_alone() -> None:
    encoded = encode_changes([Change((publish(),)), Change((END,), Fence("\ud800", 1, "n"))], LARGEST)
    assert encoded.places == [0]
    assert [type(refused) for refused in encoded.refused.values()] == [Refused]


async def test_a_batch_of_both_kinds_is_applied_in_its_order(bench: Bench, store: RedisStore) -> None:
    first, second = publish(), publish(unique=UniqueKey("k"))
    batch = [Change((second,)), Change((first,)), Change((publish(unique=UniqueKey("other")),))]
    assert await store.commit(batch) == [APPLIED] * 3
    leased = (await bench.lease(3)).deliveries
    assert [delivery.fence.task_id for delivery in leased][:2] == [second.envelope.id, first.envelope.id]
    assert await store.commit([Change((END,), delivery.fence) for delivery in leased]) == [APPLIED] * 3
    ended = await store.get([first.envelope.id])
    assert ended[first.envelope.id].state is TaskState.SUCCEEDED
