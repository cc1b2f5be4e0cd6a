"""A batch as the arguments of a script: what is packed, and what is JSON."""

from __future__ import annotations

import json

import pytest

from stem.adapters.redis.batch import encode_changes
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import APPLIED, Change, Fence, Publish, Refused, Settle, UniqueKey
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing.contracts import Bench, publish

LARGEST = 1_000_000
FENCE = Fence("id", 1, "nonce")
END = Settle(TaskEvent.SUCCEEDED, b"1")


def _letters(*changes: Change) -> tuple[str, int]:
    """In which order packed changes and others come, and how many others there are."""
    encoded = encode_changes(changes, LARGEST)
    alone = [encode_changes([change], LARGEST).text for change in changes]
    others = json.loads(encoded.others or b"[]")
    return "".join(chr(text[0]) for text in alone), len(others)


def test_ordinary_publishes_and_ends_are_packed() -> None:
    assert _letters(Change((publish(),)), Change((END,), FENCE)) == ("PS", 0)


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
    assert json.loads(encoded.others)[0][4][5] == 3
    assert (len(encoded.blobs), encoded.blobs[-1]) == (5, b"1")


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
