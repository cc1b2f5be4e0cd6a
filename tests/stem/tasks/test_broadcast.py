"""An announcement carries its task; the copies made of it are the same however often they are made."""

from __future__ import annotations

import pytest

from stem.errors import Undecodable
from stem.tasks.broadcast import (
    announced_name,
    announcement,
    copies_for,
    copies_group,
    enclosed,
    handed_to,
    is_announcement,
    private_queue,
    tell_copies,
    worker_of,
)
from stem.tasks.encoders import PLAIN
from stem.tasks.envelope import Envelope, decode_envelope, encode_envelope

TASK = Envelope(
    id="t-1",
    name="caches.reload",
    payload=b'{"region":"north"}',
    version=3,
    queue="caches",
    priority=7,
    max_retries=0,
    ignore_result=True,
    headers={"trace": "1"},
    tags=("ops",),
)


def test_an_announcement_waits_where_its_task_would_and_is_told_apart_by_its_name() -> None:
    announced = announcement(TASK)
    assert (announced.id, announced.queue, announced.priority, announced.tags) == ("t-1", "caches", 7, ("ops",))
    assert is_announcement(announced.name)
    assert not is_announcement(TASK.name)
    assert announced_name(announced.name) == announced_name(TASK.name) == "caches.reload"


def test_an_announcement_keeps_its_result_and_outlives_a_crash_whatever_its_task_asks() -> None:
    announced = announcement(TASK)
    assert (announced.ignore_result, announced.max_retries) == (False, 3)


def test_what_it_carries_is_the_task_as_it_was_made() -> None:
    stored = decode_envelope(encode_envelope(announcement(TASK)))
    assert enclosed(stored) == enclosed(TASK) == TASK


def test_each_copy_is_the_task_in_the_private_queue_of_its_worker() -> None:
    first, second = copies_for(["a", "b"], announcement(TASK), generation=0, expires=5)
    assert (first.queue, second.queue) == (private_queue("a"), private_queue("b"))
    assert (worker_of(first.queue), worker_of("caches")) == ("a", None)
    assert first.id != second.id
    for copy in (first, second):
        assert (copy.name, copy.payload, copy.version, copy.max_retries) == (TASK.name, TASK.payload, 3, 0)
        assert (copy.ignore_result, copy.expires, copy.root, copy.parent) == (True, 5, "t-1", "t-1")


def test_copies_of_a_task_within_a_lineage_stay_in_it() -> None:
    (copy,) = copies_for(
        ["a"], announcement(Envelope(id="t", name="n", payload=b"{}", root="r")), generation=0, expires=None
    )
    assert (copy.root, copy.parent) == ("r", "t")


def test_ids_repeat_and_are_others_in_another_generation() -> None:
    def made(generation: int) -> list[str]:
        return [copy.id for copy in copies_for(["a"], announcement(TASK), generation=generation, expires=None)]

    assert made(0) == made(0) != made(1)
    assert copies_group("t-1", 0) == copies_group("t-1", 0) != copies_group("t-1", 1)


def test_the_result_of_a_broadcast_is_taken_for_that_of_no_other_task() -> None:
    result = tell_copies({"a": "t-2"})
    assert handed_to(result) == {"a": "t-2"}
    assert handed_to(b'{"a":"t-2"}') is handed_to(b"") is None
    with pytest.raises(Undecodable, match="broadcast"):
        PLAIN.read(result)


def test_an_announcement_that_carries_no_task_is_undecodable() -> None:
    with pytest.raises(Undecodable):
        copies_for(["a"], Envelope(id="t", name="broadcast:n", payload=b"{}"), generation=0, expires=None)
