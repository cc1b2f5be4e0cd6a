"""Looking at groups."""

from __future__ import annotations

from stem.adapters.memory.base import Part
from stem.contracts.groups import GroupRecord

__all__ = ["GroupTables"]


class GroupTables(Part):
    """See `Groups`."""

    async def group(self, group: str) -> GroupRecord | None:
        """See `Groups.group`."""
        with self._lock:
            found = self._tables.groups.get(group)
            if found is None:
                return None
            return GroupRecord(
                id=found.id,
                size=found.size,
                policy=found.policy,
                state=found.state,
                root=found.root,
                filled=len(found.places),
                joined=found.joined,
                succeeded=found.succeeded,
                opened_at=found.opened_at,
                closed_at=found.closed_at,
            )

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """See `Groups.members`."""
        with self._lock:
            found = self._tables.groups.get(group)
            places = {} if found is None else found.places
            behind = sorted(row for row in places.items() if row[0] > after and row[1] in self._tables.tasks)
            return tuple(behind[:limit])
