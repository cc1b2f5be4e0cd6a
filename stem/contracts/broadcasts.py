"""What is said to everybody who listens, once to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stem.clock import Micros

__all__ = ["KEEP_BROADCAST", "Broadcast", "Broadcasts"]

KEEP_BROADCAST: Final[Micros] = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """One message of a channel. `position` grows from each message to the next, over all channels."""

    position: int
    id: str
    channel: str
    body: bytes
    at: Micros


class Broadcasts(Protocol):
    """Channels. Each listener keeps its own position; the store knows none of them."""

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """Say this to every listener of the channel; kept for `keep`, then forgotten by `retain`.

        Said again with the same id, while it is kept, nothing happens.
        """
        ...

    async def broadcast_position(self) -> int:
        """Where a listener begins who wants to hear only what comes from now on."""
        ...

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """Up to `limit` kept messages of the channels behind the position `after`, in order.

        A listener who goes on from the last position it was given sees each message exactly once, however many say
        something at the same time: no message ever appears behind a position that was already answered.
        """
        ...
