"""Looking at groups."""

from __future__ import annotations

from stem.adapters.postgres.part import Part
from stem.contracts.groups import GroupRecord
from stem.tasks.links import GroupState

__all__ = ["GroupsPart"]


class GroupsPart(Part):
    """`stem.contracts.groups.Groups`."""

    async def group(self, group: str) -> GroupRecord | None:
        """How the group stands; `None` for one that is not known, or no longer."""
        rows = await self._ask("groups/find", group_id=group)
        if not rows:
            return None
        row = rows[0]
        return GroupRecord(
            id=row["id"],
            size=row["size"],
            policy=row["policy"],
            state=GroupState(row["state"]),
            root=row["root"],
            filled=row["filled"],
            joined=row["joined"],
            succeeded=row["won"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
        )

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """Up to `limit` (place, task id) of the group, by place, from the one behind `after` on."""
        rows = await self._ask("groups/members", group_id=group, after=after, most=limit)
        return tuple((place, task) for place, task in rows)
