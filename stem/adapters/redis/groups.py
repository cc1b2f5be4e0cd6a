"""Looking at groups."""

from __future__ import annotations

from typing import Final, cast

from stem.adapters.redis.part import Part
from stem.adapters.redis.rows import GROUP, LATEST, read_group
from stem.adapters.redis.scripts import KEYS
from stem.contracts.groups import GroupRecord
from stem.tasks.links import GroupPolicy, GroupState

__all__ = ["GroupsPart"]

_MOST: Final = 10_000
_GROUPS: Final = KEYS.index("groups")
_TEXTS: Final = GROUP.texts_to("root")
_STATES: Final = {state.value: state for state in GroupState}


class GroupsPart(Part):
    """`stem.contracts.groups.Groups`; groups are written by the script of `commit`."""

    async def group(self, group: str) -> GroupRecord | None:
        """How the group stands; `None` for one that is not known, or no longer."""
        raw: bytes | None = await self.server.command("HGET", self.server.keys[_GROUPS], group)
        return None if raw is None else _record(raw)

    async def members(self, group: str, *, limit: int, after: int = -1) -> tuple[tuple[int, str], ...]:
        """Up to `limit` (place, task id) of the group, by place, from the one behind `after` on; at most 10,000."""
        first = max(0, min(after + 1, LATEST))
        found = await self.server.run("members", group, first, min(limit, _MOST))
        return tuple((place, task.decode()) for place, task in zip(found[::2], found[1::2], strict=True))


def _record(raw: bytes) -> GroupRecord | None:
    row = read_group(raw, _TEXTS)
    state = _STATES.get(row.state)
    if state is None:
        return None
    return GroupRecord(
        id=row.id,
        size=row.size,
        policy=cast("GroupPolicy", row.policy),
        state=state,
        root=row.root,
        filled=row.filled,
        joined=row.joined,
        succeeded=row.succeeded,
        opened_at=row.opened,
        closed_at=row.closed or None,
    )
