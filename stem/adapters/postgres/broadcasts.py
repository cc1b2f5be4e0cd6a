"""Broadcasts: positions are given under one row lock, so that they become visible in their order."""

from __future__ import annotations

from collections.abc import Sequence

from stem.adapters.postgres.part import Part
from stem.clock import Micros
from stem.contracts.broadcasts import KEEP_BROADCAST, Broadcast
from stem.contracts.store import Notice

__all__ = ["BroadcastPart"]


class BroadcastPart(Part):
    """`stem.contracts.broadcasts.Broadcasts`."""

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """Say this to every listener of the channel; said again with the same id, while it is kept, nothing happens."""
        rows = await self._ask("broadcasts/say", topic=channel, body=body, message_id=message_id, keep=keep)
        self._wake.tell(Notice(channels=frozenset({channel} if rows else ())))

    async def broadcast_position(self) -> int:
        """Where a listener begins who wants to hear only what comes from now on."""
        (row,) = await self._ask("broadcasts/position")
        return int(row[0])

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """Up to `limit` kept messages of the channels behind the position `after`, in order."""
        rows = await self._ask("broadcasts/heard", channels=list(channels), after=after, most=limit)
        return tuple(
            Broadcast(position=position, id=message_id, channel=channel, body=body, at=at)
            for position, message_id, channel, body, at in rows
        )
