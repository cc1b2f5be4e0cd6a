"""The events of queues reach everybody who listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from stem.adapters.memory import MemoryStore
from stem.app import Stem
from stem.client.events import QueueEvent
from stem.codec import dump_json


async def hear(events: AsyncIterator[QueueEvent], count: int = 1) -> list[QueueEvent]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def test_an_event_is_heard_as_it_was_emitted(stem: Stem) -> None:
    billing = stem.queue_events("billing")
    async with billing.listen() as events:
        event_id = await billing.emit("closed", {"day": 7}, headers={"trace": "x"}, meta={"by": ["ada"]})
        (event,) = await hear(events)
    assert (event.id, event.queue, event.name, event.payload) == (event_id, "billing", "closed", {"day": 7})
    assert (event.headers, event.meta) == ({"trace": "x"}, {"by": ["ada"]})


async def test_every_listener_hears_it(stem: Stem) -> None:
    billing = stem.queue_events("billing")
    async with billing.listen() as one, stem.queue_events("billing").listen() as other:
        await billing.emit("closed")
        assert [event.name for event in (*await hear(one), *await hear(other))] == ["closed", "closed"]


async def test_events_come_in_order_and_none_twice(stem: Stem) -> None:
    billing = stem.queue_events("billing")
    async with billing.listen() as events:
        for number in range(250):
            await billing.emit("counted", number)
        assert [event.payload for event in await hear(events, 250)] == list(range(250))


async def test_other_queues_are_not_heard(stem: Stem) -> None:
    async with stem.queue_events("billing").listen() as events:
        await stem.queue_events("mail").emit("sent")
        await stem.queue_events("billing").emit("closed")
        assert [event.name for event in await hear(events)] == ["closed"]


async def test_a_listener_to_one_name_hears_only_that(stem: Stem) -> None:
    billing = stem.queue_events("billing")
    async with billing.listen("closed") as events:
        await billing.emit("opened")
        await billing.emit("closed")
        assert [event.name for event in await hear(events)] == ["closed"]


async def test_what_was_emitted_before_is_not_heard(stem: Stem) -> None:
    billing = stem.queue_events("billing")
    await billing.emit("opened")
    async with billing.listen() as events:
        await billing.emit("closed")
        assert [event.name for event in await hear(events)] == ["closed"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", dump_json({"name": "x", "payload": 1, "headers": 3, "meta": {}})])
async def test_what_is_no_event_is_passed_over_with_a_warning(
    stem: Stem, store: MemoryStore, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    billing = stem.queue_events("billing")
    async with billing.listen() as events:
        with caplog.at_level(logging.WARNING, "stem.events"):
            await store.broadcast("events:billing", body, message_id="odd")
            await billing.emit("closed")
            assert [event.name for event in await hear(events)] == ["closed"]
    assert "message odd" in caplog.text
