"""Locks."""

from __future__ import annotations

from dataclasses import replace

from stem.adapters.memory.base import Part
from stem.clock import Micros
from stem.contracts.locks import Lock

__all__ = ["LockTables"]


class LockTables(Part):
    """See `Locks`."""

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.acquire`."""
        with self._lock:
            held, until = self._held(key), self._clock.now() + ttl
            if held is None:
                held = Lock(key=key, owner=owner, fence=self._tables.next_number(), until=until)
            return self._keep(held, until) if held.owner == owner else None

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.renew_lock`."""
        with self._lock:
            held = self._held(key)
            if held is None or held.owner != owner:
                return None
            return self._keep(held, self._clock.now() + ttl)

    async def release_lock(self, key: str, owner: str) -> bool:
        """See `Locks.release_lock`."""
        with self._lock:
            held = self._held(key)
            if held is None or held.owner != owner:
                return False
            del self._tables.locks[key]
            return True

    async def lock(self, key: str) -> Lock | None:
        """See `Locks.lock`."""
        with self._lock:
            return self._held(key)

    def _held(self, key: str) -> Lock | None:
        lock = self._tables.locks.get(key)
        return None if lock is None or lock.until <= self._clock.now() else lock

    def _keep(self, lock: Lock, until: Micros) -> Lock:
        kept = self._tables.locks[lock.key] = replace(lock, until=until)
        return kept
