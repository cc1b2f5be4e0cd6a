"""Events of a queue: what applications tell everybody who listens, beside the tasks."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stem.clock import from_micros
from stem.codec import dump_json, load_object
from stem.contracts.broadcasts import Broadcast
from stem.contracts.store import Listener, Notice, Store
from stem.errors import StoreUnavailable, Undecodable
from stem.ids import new_id
from stem.tasks.options import JsonValue

__all__ = ["QueueEvent", "QueueEvents", "teller"]

_log: Final = logging.getLogger("stem.events")
_CHANNEL: Final = "events:"
_PAGE: Final = 100
_POLL: Final = 1.0
"""Seconds after which a listener looks although nothing told it to: a notice can be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEvent:
    """One event, as every listener gets it."""

    id: str
    queue: str
    name: str
    payload: JsonValue
    emitted_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    meta: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


class QueueEvents:
    """The events of one queue. They are no tasks: nobody acknowledges them, and who does not listen misses them."""

    def __init__(self, store: Store, queue: str) -> None:
        self._store = store
        self._queue = queue

    async def emit(
        self,
        name: str,
        payload: JsonValue = None,
        *,
        headers: Mapping[str, str] | None = None,
        meta: Mapping[str, JsonValue] | None = None,
    ) -> str:
        """Tell every listener of the queue; the event's id. When this returns, none that listens now will miss it.

        The store keeps an event for an hour, for listeners that have lost their connection. Raises `StoreUnavailable`.
        """
        body = dump_json({"name": name, "payload": payload, "headers": dict(headers or {}), "meta": dict(meta or {})})
        event_id = new_id()
        await self._store.broadcast(_CHANNEL + self._queue, body, message_id=event_id)
        return event_id

    @asynccontextmanager
    async def listen(self, name: str | None = None) -> AsyncGenerator[AsyncIterator[QueueEvent]]:
        """The events that are emitted from now on, each once, in order; with a `name`, only those.

        An outage of the store delays them and loses none. Raises `StoreUnavailable` when the store is not there at the
        beginning.
        """
        news = asyncio.Event()
        tell = teller(asyncio.get_running_loop(), news, _CHANNEL + self._queue)
        subscription = self._store.listen(tell)
        try:
            position = await self._store.broadcast_position()
            yield _matching(self._read(position, news), name)
        finally:
            subscription.close()

    async def _read(self, position: int, news: asyncio.Event) -> AsyncIterator[QueueEvent]:
        found: deque[Broadcast] = deque()
        while True:
            news.clear()
            found.extend(await self._after(position))
            if not found:
                await _wait(news)
            while found:
                message = found.popleft()
                position = message.position
                event = _event(self._queue, message)
                if event is not None:
                    yield event

    async def _after(self, position: int) -> tuple[Broadcast, ...]:
        try:
            return await self._store.broadcasts([_CHANNEL + self._queue], after=position, limit=_PAGE)
        except StoreUnavailable:
            return ()


def teller(loop: asyncio.AbstractEventLoop, news: asyncio.Event, channel: str) -> Listener:
    """A listener that sets `news` when something was said on the channel; may be called from any thread."""

    def tell(notice: Notice) -> None:
        if notice.everything or channel in notice.channels:
            loop.call_soon_threadsafe(news.set)

    return tell


async def _wait(news: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_POLL):
            await news.wait()


async def _matching(events: AsyncIterator[QueueEvent], name: str | None) -> AsyncIterator[QueueEvent]:
    async for event in events:
        if name is None or event.name == name:
            yield event


def _event(queue: str, message: Broadcast) -> QueueEvent | None:
    """The event; `None`, and a warning, for what another program wrote into the channel."""
    try:
        found = load_object(message.body)
        return QueueEvent(
            id=message.id,
            queue=queue,
            name=str(found["name"]),
            payload=found["payload"],
            emitted_at=from_micros(message.at),
            headers={str(key): str(value) for key, value in dict(found["headers"]).items()},
            meta=dict(found["meta"]),
        )
    except (Undecodable, LookupError, TypeError, ValueError) as error:
        _log.warning("passed over message %s of channel %s, which is no event: %r", message.id, message.channel, error)
        return None
