"""Renewing leases from another thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from stem.adapters.memory.lease import renew_lease
from stem.adapters.memory.tables import Tables
from stem.clock import Clock
from stem.contracts.store import LeaseVerdict, Renewal

__all__ = ["MemoryKeeper"]


class MemoryKeeper:
    """See `Keeper`. The connection of its own is the store's lock."""

    def __init__(self, tables: Tables, lock: threading.Lock, clock: Clock) -> None:
        self._tables = tables
        self._lock = lock
        self._clock = clock

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """See `Keeper.renew`."""
        with self._lock:
            now = self._clock.now()
            return [renew_lease(self._tables, renewal, now) for renewal in renewals]

    def close(self) -> None:
        """Nothing is held."""
