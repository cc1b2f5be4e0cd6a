"""Looking at groups, which `OpenGroup`, `Publish` and `SealGroup` write and the end of each member joins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stem.clock import Micros
from stem.tasks.links import GroupPolicy, GroupState

__all__ = ["GroupRecord", "Groups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord:
    """How a group stands. Times are microseconds by the store's clock."""

    id: str
    size: int
    policy: GroupPolicy
    state: GroupState
    root: str
    filled: int
    """Places whose member is published."""
    joined: int
    """Places whose member has ended."""
    succeeded: int
    opened_at: Micros
    closed_at: Micros | None


class Groups(Protocol):
    """Groups and their members."""

    async def group(self, group: str) -> GroupRecord | None:
        """How the group stands; `None` for one that is not known, or no longer."""
        ...

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """Up to `limit` (place, task id) of the group, by place, from the one behind `after` on.

        A member whose record is deleted is left out; of a group that is not known there are none.
        """
        ...
