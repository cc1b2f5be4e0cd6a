"""Locks: a row for each key, which stays behind when the lock is given up, with the fence to grow from."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from stem.adapters.postgres.part import Part
from stem.clock import Micros
from stem.contracts.locks import Lock

__all__ = ["LocksPart"]


class LocksPart(Part):
    """`stem.contracts.locks.Locks`, by the server's clock."""

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold the lock for `ttl` from now; `None` while another owner holds it."""
        return _lock(await self._ask("locks/acquire", key=key, owner=owner, ttl=ttl))

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold it for `ttl` from now; `None` when it is not this owner's, or its time was over."""
        return _lock(await self._ask("locks/renew", key=key, owner=owner, ttl=ttl))

    async def release_lock(self, key: str, owner: str) -> bool:
        """Give it up; whether it was this owner's."""
        return bool(await self._ask("locks/release", key=key, owner=owner))

    async def lock(self, key: str) -> Lock | None:
        """Who holds it now."""
        return _lock(await self._ask("locks/find", key=key))


def _lock(rows: Sequence[asyncpg.Record]) -> Lock | None:
    return Lock(key=rows[0][0], owner=rows[0][1], fence=rows[0][2], until=rows[0][3]) if rows else None
