"""Locks with an owner, an end and a fence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stem.clock import Micros

__all__ = ["Lock", "Locks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that is held until `until`, by the store's clock."""

    key: str
    owner: str
    fence: int
    """Higher than that of every holder before, of this key, for ever."""
    until: Micros


class Locks(Protocol):
    """Mutual exclusion among processes, as far as their clocks may be trusted; the fence is for where they may not."""

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold the lock for `ttl` from now; `None` while another owner holds it.

        Asked again by its holder, it is the same lock with the same fence, held for `ttl` from now: an answer can be
        lost. One whose time is over is free.
        """
        ...

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold it for `ttl` from now; `None` when it is not this owner's, or its time was over."""
        ...

    async def release_lock(self, key: str, owner: str) -> bool:
        """Give it up; whether it was this owner's."""
        ...

    async def lock(self, key: str) -> Lock | None:
        """Who holds it now."""
        ...
