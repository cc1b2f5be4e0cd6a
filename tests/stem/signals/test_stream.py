"""Events as an iterator that is bounded, and ends."""

from __future__ import annotations

import asyncio

import pytest

from stem.errors import ConfigError
from stem.signals import Event, Signals, TaskStartedEvent, WorkerReadyEvent
from stem.signals.stream import EventStream, stream_of
from tests.stem.signals.support import ready, started, succeeded


def _ready(event: Event) -> bool:
    return isinstance(event, WorkerReadyEvent)


async def _all(stream: EventStream) -> list[Event]:
    return [event async for event in stream]


async def test_it_gives_what_holds_in_order_and_ends_after_the_last_one(signals: Signals) -> None:
    async with stream_of(signals, holds=lambda event: event != succeeded(), is_last=_ready, limit=10) as stream:
        reading = asyncio.ensure_future(_all(stream))
        await asyncio.sleep(0)
        for event in (started(), succeeded(), ready(), started()):
            signals.tell(event)
        assert (await reading)[:2] == [started(), ready()]


async def test_a_slow_reader_loses_the_oldest(signals: Signals) -> None:
    async with stream_of(signals, holds=lambda _: True, is_last=_ready, limit=2) as stream:
        for event in (started(task_id="1"), started(task_id="2"), started(task_id="3"), ready()):
            signals.tell(event)
        assert await _all(stream) == [started(task_id="3"), ready()]
        assert stream.missed == 2


async def test_nobody_is_heard_after_it_ended(signals: Signals) -> None:
    async with stream_of(signals, holds=lambda _: True, is_last=_ready, limit=2):
        assert signals.heard
        assert signals.task_started.heard
    assert not signals.heard


async def test_a_stream_of_nothing_is_refused(signals: Signals) -> None:
    with pytest.raises(ConfigError, match="1 or more events"):
        async with stream_of(signals, holds=lambda _: True, is_last=_ready, limit=0):
            pass


async def test_its_events_are_those_that_handlers_get(signals: Signals) -> None:
    heard: list[TaskStartedEvent] = []
    signals.task_started.connect(heard.append)
    async with stream_of(signals, holds=lambda _: True, is_last=_ready, limit=2) as stream:
        signals.tell(started())
        assert await anext(stream) == started()
        await signals.drain()
    assert heard == [started()]
