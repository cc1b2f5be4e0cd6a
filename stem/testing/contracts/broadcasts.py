"""Broadcasts: what is said once is heard once by everybody."""

from __future__ import annotations

import asyncio

from stem.contracts.broadcasts import Broadcast
from stem.contracts.store import Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["BroadcastContract"]


async def _say(store: Store, *texts: str, channel: str = "control") -> None:
    for text in texts:
        await store.broadcast(channel, text.encode(), message_id=f"{channel}-{text}")


class _Listener:
    """Goes on from the last position that it was given."""

    def __init__(self, store: Store, position: int, *channels: str) -> None:
        self._store = store
        self._position = position
        self._channels = channels or ("control",)
        self.heard: list[str] = []

    async def look(self, limit: int = 100) -> list[str]:
        """What is new."""
        found = await self._store.broadcasts(self._channels, after=self._position, limit=limit)
        assert len(found) <= limit
        texts = [message.body.decode() for message in found]
        self._position = max([self._position, *(message.position for message in found)])
        self.heard += texts
        return texts


class BroadcastContract(Contract):
    """`Broadcasts`."""

    async def test_a_broadcast_is_heard_as_it_was_said(self, bench: Bench) -> None:
        start = await bench.store.broadcast_position()
        await bench.store.broadcast("control", b"\x00\xff", message_id="m-1")
        (heard,) = await bench.store.broadcasts(["control"], after=start, limit=5)
        now = bench.clock.now()
        assert heard == Broadcast(position=heard.position, id="m-1", channel="control", body=b"\x00\xff", at=now)
        assert heard.position > start

    async def test_every_listener_hears_each_message_exactly_once(self, bench: Bench) -> None:
        start = await bench.store.broadcast_position()
        listeners = [_Listener(bench.store, start) for _ in range(3)]
        for number in range(5):
            await _say(bench.store, str(number))
            for listener in listeners[: number % 3 + 1]:
                await listener.look()
        for listener in listeners:
            await listener.look()
            assert listener.heard == ["0", "1", "2", "3", "4"]

    async def test_listeners_at_other_handles_hear_it_too(self, bench: Bench, other: Store) -> None:
        listener = _Listener(other, await other.broadcast_position())
        await _say(bench.store, "hello")
        assert await listener.look() == ["hello"]

    async def test_who_listens_from_now_on_hears_nothing_of_before(self, bench: Bench) -> None:
        await _say(bench.store, "before")
        listener = _Listener(bench.store, await bench.store.broadcast_position())
        assert await listener.look() == []
        await _say(bench.store, "after")
        assert await listener.look() == ["after"]

    async def test_who_listens_from_the_beginning_hears_what_is_kept(self, bench: Bench) -> None:
        await _say(bench.store, "before")
        assert await _Listener(bench.store, 0).look() == ["before"]

    async def test_only_the_channels_that_are_asked_for_are_heard(self, bench: Bench) -> None:
        await _say(bench.store, "one", channel="a")
        await _say(bench.store, "two", channel="b")
        await _say(bench.store, "three", channel="c")
        assert await _Listener(bench.store, 0, "a", "c").look() == ["one", "three"]
        assert await _Listener(bench.store, 0, "nothing").look() == []

    async def test_positions_grow_from_each_message_to_the_next_over_all_channels(self, bench: Bench) -> None:
        for number in range(6):
            await _say(bench.store, str(number), channel="ab"[number % 2])
        found = await bench.store.broadcasts(["a", "b"], after=0, limit=10)
        positions = [message.position for message in found]
        assert positions == sorted(set(positions))
        assert [message.body for message in found] == [str(number).encode() for number in range(6)]

    async def test_many_messages_come_in_pages(self, bench: Bench) -> None:
        await _say(bench.store, *map(str, range(10)))
        listener = _Listener(bench.store, 0)
        assert [len(await listener.look(limit=4)) for _ in range(4)] == [4, 4, 2, 0]
        assert listener.heard == [str(number) for number in range(10)]

    async def test_said_again_with_the_same_id_nothing_happens(self, bench: Bench) -> None:
        await bench.store.broadcast("control", b"first", message_id="m-1")
        position = await bench.store.broadcast_position()
        await bench.store.broadcast("control", b"second", message_id="m-1")
        assert await _Listener(bench.store, position).look() == []
        assert await _Listener(bench.store, 0).look() == ["first"]

    async def test_of_one_message_said_many_times_at_once_one_is_heard(self, bench: Bench) -> None:
        await asyncio.gather(*(bench.store.broadcast("control", b"x", message_id="m-1") for _ in range(10)))
        assert await _Listener(bench.store, 0).look() == ["x"]

    async def test_a_broadcast_is_kept_for_its_time_and_then_forgotten_by_retain(self, bench: Bench) -> None:
        await bench.store.broadcast("control", b"short", message_id="m-1", keep=seconds(10))
        await bench.store.broadcast("control", b"long", message_id="m-2")
        bench.clock.advance(9)
        assert await bench.store.retain(10) == 0
        assert await _Listener(bench.store, 0).look() == ["short", "long"]
        bench.clock.advance(2)
        assert await bench.store.retain(10) == 0
        assert await _Listener(bench.store, 0).look() == ["long"]

    async def test_positions_go_on_when_everything_was_forgotten(self, bench: Bench) -> None:
        await bench.store.broadcast("control", b"old", message_id="m-1", keep=seconds(1))
        position = await bench.store.broadcast_position()
        bench.clock.advance(2)
        await bench.store.retain(10)
        assert await bench.store.broadcast_position() >= position
        listener = _Listener(bench.store, position)
        await _say(bench.store, "new")
        assert await listener.look() == ["new"]

    async def test_a_broadcast_tells_of_its_channel(self, bench: Bench) -> None:
        with Ear(bench.store) as ear:
            await _say(bench.store, "hello")
            await ear.hears_of_channel("control")

    async def test_another_handle_hears_of_the_channel_soon(self, bench: Bench, other: Store) -> None:
        with Ear(other) as ear:
            await _say(bench.store, "hello")
            await ear.hears_of_channel("control")

    async def test_no_message_appears_behind_a_position_that_was_answered(self, bench: Bench) -> None:
        await _talk_while_one_listens((bench.store,), bench.store)

    async def test_no_message_appears_behind_a_position_whoever_says_it(self, bench: Bench, other: Store) -> None:
        await _talk_while_one_listens((bench.store, other), other)

    async def test_a_listener_from_now_on_misses_nothing_that_is_said_later(self, bench: Bench, other: Store) -> None:
        talk = asyncio.gather(*(_say(other, f"early-{number}", channel=f"c{number}") for number in range(20)))
        listener = _Listener(bench.store, await bench.store.broadcast_position(), *(f"c{n}" for n in range(20)), "z")
        await _say(other, "late", channel="z")
        await talk
        assert "late" in await listener.look()


async def _talk_while_one_listens(speakers: tuple[Store, ...], ear: Store) -> None:
    """Many speak at the same time; a listener that goes on from each position hears every word once."""
    words = [f"{number}" for number in range(60)]
    listener = _Listener(ear, await ear.broadcast_position())
    talk = asyncio.gather(*(_say(speakers[number % len(speakers)], word) for number, word in enumerate(words)))
    while not talk.done():
        await listener.look(limit=7)
        await asyncio.sleep(0)
    await talk
    while await listener.look():
        pass
    assert sorted(listener.heard, key=int) == words
