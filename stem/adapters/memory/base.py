"""What every part of the store stands on."""

from __future__ import annotations

import threading

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.tables import Tables
from stem.adapters.memory.wake import Ears
from stem.clock import Clock
from stem.contracts.capabilities import Capabilities
from stem.contracts.retention import Retention

__all__ = ["Part"]


class Part:
    """The tables, the one lock around them, the clock, and who is told of changes."""

    def __init__(self, clock: Clock, retention: Retention | None = None) -> None:
        self._clock = clock
        self._retention = retention or Retention()
        self._tables = Tables()
        self._lock = threading.Lock()
        self._ears = Ears()
        self._capabilities = Capabilities(durable=False, shared=False)

    def _batch(self) -> Batch:
        """What happens now, under the lock."""
        return Batch(self._tables, self._clock.now(), self._capabilities.max_value, self._retention)
