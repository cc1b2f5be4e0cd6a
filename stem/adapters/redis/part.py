"""What the parts of the store share: the way to the server, and the ear of those who wait."""

from __future__ import annotations

from typing import Final

from stem.adapters.redis.connection import Server
from stem.adapters.redis.url import Place
from stem.adapters.redis.wake import Wake
from stem.clock import Clock
from stem.contracts.capabilities import Capabilities
from stem.contracts.retention import Retention
from stem.ids import new_id

__all__ = ["CAPABILITIES", "Part"]

CAPABILITIES: Final = Capabilities(durable=True, shared=True)


class Part:
    """One namespace of a server. `origin` marks the notices of this store, which has told its own listeners already."""

    def __init__(self, place: Place, namespace: str, clock: Clock, retention: Retention | None = None) -> None:
        self.server: Final = Server(place, namespace, clock, retention)
        self._namespace: Final = namespace
        self._clock: Final = clock
        self._origin: Final = new_id()
        self._wake: Final = Wake(self.server, self._origin)
