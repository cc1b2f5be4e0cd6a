"""What is said to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from stem.adapters.memory.base import Part
from stem.clock import Micros
from stem.contracts.broadcasts import KEEP_BROADCAST, Broadcast
from stem.contracts.store import Notice

__all__ = ["BroadcastTables"]


class BroadcastTables(Part):
    """See `Broadcasts`."""

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """See `Broadcasts.broadcast`."""
        with self._lock:
            if message_id in self._tables.broadcasts:
                return
            now, position = self._clock.now(), self._tables.next_number()
            said = Broadcast(position=position, id=message_id, channel=channel, body=body, at=now)
            self._tables.broadcasts[message_id] = (said, now + keep)
        self._ears.tell(Notice(channels=frozenset({channel})))

    async def broadcast_position(self) -> int:
        """See `Broadcasts.broadcast_position`."""
        with self._lock:
            return self._tables.sequence

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """See `Broadcasts.broadcasts`."""
        with self._lock:
            wanted = (
                said
                for said, _ in self._tables.broadcasts.values()
                if said.position > after and said.channel in channels
            )
            return tuple(islice(wanted, limit))
