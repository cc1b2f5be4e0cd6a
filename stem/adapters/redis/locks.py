"""Locks, each one field of a hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stem.adapters.redis.changes import cut
from stem.adapters.redis.part import Part
from stem.clock import Micros
from stem.contracts.locks import Lock

__all__ = ["LocksPart"]


class LocksPart(Part):
    """`stem.contracts.locks.Locks`. One counter gives all fences, so that nothing is left of a lock given up."""

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold the lock for `ttl` from now; `None` while another owner holds it."""
        return _lock(key, await self.server.run("locks/acquire", key, owner, cut(ttl)))

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold it for `ttl` from now; `None` when it is not this owner's, or its time was over."""
        return _lock(key, await self.server.run("locks/renew", key, owner, cut(ttl)))

    async def release_lock(self, key: str, owner: str) -> bool:
        """Give it up; whether it was this owner's."""
        return bool(await self.server.run("locks/release", key, owner))

    async def lock(self, key: str) -> Lock | None:
        """Who holds it now."""
        return _lock(key, await self.server.run("locks/find", key))


def _lock(key: str, values: Sequence[Any]) -> Lock | None:
    if not values:
        return None
    owner, fence, until = values
    return Lock(key=key, owner=owner.decode(), fence=fence, until=until)
