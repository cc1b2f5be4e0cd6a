"""What is said to everybody who listens: one counter for all channels, read and raised by the script that says it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from stem.adapters.redis.changes import cut
from stem.adapters.redis.part import Part
from stem.adapters.redis.scripts import KEYS
from stem.clock import Micros
from stem.contracts.broadcasts import KEEP_BROADCAST, Broadcast
from stem.contracts.store import Notice

__all__ = ["BroadcastsPart"]

_MOST: Final = 1_000
_NUMBERS: Final = KEYS.index("numbers")
_HEAD: Final = struct.Struct(">QQI")
"""Position, time and the length of the channel's name, which follows; then the body."""


class BroadcastsPart(Part):
    """`stem.contracts.broadcasts.Broadcasts`; those who listen to the store's notices hear of each message, too."""

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """Say this to every listener of the channel; kept for `keep`, then forgotten by `retain`."""
        said = (self.server.channel, self._origin, channel, message_id, cut(keep), body)
        if await self.server.run("broadcasts/say", *said):
            self._wake.tell(Notice(channels=frozenset((channel,))))

    async def broadcast_position(self) -> int:
        """Where a listener begins who wants to hear only what comes from now on."""
        return int(await self.server.command("HGET", self.server.keys[_NUMBERS], "broadcasts") or 0)

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """Up to `limit` kept messages of the channels behind the position `after`, in order; at most 1,000."""
        begin, some = max(0, cut(after)), min(limit, _MOST)
        values: list[bytes] = await self.server.run("broadcasts/hear", begin, some, *dict.fromkeys(channels))
        return tuple(_message(values[at], values[at + 1]) for at in range(0, len(values), 2))


def _message(message: bytes, text: bytes) -> Broadcast:
    position, at, size = _HEAD.unpack_from(text)
    body = _HEAD.size + size
    channel = text[_HEAD.size : body].decode()
    return Broadcast(position=position, id=message.decode(), channel=channel, body=text[body:], at=at)
