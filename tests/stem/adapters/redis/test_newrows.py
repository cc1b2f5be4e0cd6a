"""The row of a new task: packed by its producer, completed by the server."""

from __future__ import annotations

import pytest

from stem.adapters.redis.newrows import pack_row
from stem.adapters.redis.rows import NEVER, ROW, read_row
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import APPLIED, Cancel, Change, UniqueKey
from stem.tasks.state import TaskState
from stem.testing.contracts import Bench, publish

STAMPS = bytes(8 * 5)


def test_a_row_is_packed_without_what_only_the_server_knows() -> None:
    message = publish(queue="mäil", name="shop.charge", priority=7, max_retries=9, unique=UniqueKey("k", 5))
    row = read_row(STAMPS + pack_row(message, '{"root":"r"}'))
    given = {
        "queue": "mäil",
        "name": "shop.charge",
        "priority": 7,
        "max_retries": 9,
        "key": "k",
        "head": '{"root":"r"}',
    }
    made = {
        "state": TaskState.QUEUED.value,
        "lifetime": 5,
        "is_unique": 1,
        "reported": NEVER,
        "size": len(message.body),
    }
    none = {"seq": 0, "due": 0, "fence": 0, "nonce": "", "worker": "", "attempt": 0, "pinned": 0}
    expected = {"id": message.envelope.id, **given, **made, **none}
    assert {name: getattr(row, name) for name in expected} == expected


def test_a_text_that_utf_8_cannot_hold_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        pack_row(publish(unique=UniqueKey("\ud800")), "{}")


def test_the_stamps_are_the_first_numbers_of_a_row() -> None:
    assert list(ROW.places)[:5] == ["seq", "published", "accepted", "expires", "due"]


async def test_what_is_published_twice_or_cancelled_in_one_batch_is_known_to_the_batch(
    bench: Bench, store: RedisStore
) -> None:
    message = publish()
    task_id = message.envelope.id
    batch = [Change((message,)), Change((message,)), Change((Cancel(task_id),))]
    assert await store.commit(batch) == [APPLIED] * 3
    assert (await store.get([task_id]))[task_id].state is TaskState.CANCELLED
    assert (await bench.lease()).deliveries == ()
