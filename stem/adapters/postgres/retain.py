"""Forgetting what has had its time, and ending what its group no longer needs; a bounded number of each at once."""

from __future__ import annotations

from typing import Final

from stem.adapters.postgres.weave import end_linked, remove_linked
from stem.adapters.postgres.write import Writing
from stem.clock import Micros
from stem.contracts.upstream import group_closed
from stem.tasks.links import After, GroupState
from stem.tasks.state import LIVE, WAITING, TaskEvent, TaskState, advance

__all__ = ["cancel_pointless", "delete_ended", "end_closed", "remove_unsealed"]

_WAITING: Final = sorted(state.value for state in WAITING)
_LIVE: Final = sorted(state.value for state in LIVE)
_RUNNING: Final = advance(TaskState.QUEUED, TaskEvent.LEASED).value
_LOCKS_KEPT: Final[Micros] = 86_400_000_000
"""A new row takes a higher fence than any before it; within this time nobody can be on the way to one."""


async def cancel_pointless(writing: Writing, limit: int) -> bool:
    """Cancel waiting members of groups that have their answer; whether there may be more of them."""
    found = {row[0]: row[1] for row in await writing.fetch("groups/pointless", waiting=_WAITING, most=limit)}
    ended = await writing.end_waiting({task: group_closed(group) for task, group in found.items()})
    await end_linked(writing, ended)
    if len(found) < limit:
        await writing.fetch("groups/swept", waiting=_WAITING)
    await writing.tell()
    return len(found) == limit


async def end_closed(writing: Writing, limit: int) -> None:
    """Cancel waiting members of groups that have their answer, and ask those that run to end."""
    await cancel_pointless(writing, limit)
    await writing.fetch("groups/terminate", running=_RUNNING, most=limit)
    await writing.fetch("groups/at_rest", live=_LIVE)


async def remove_unsealed(writing: Writing, limit: int) -> None:
    """Remove groups that nobody sealed in time, with their members; what waits for these is cancelled."""
    found = await writing.fetch("groups/unsealed", open=GroupState.OPEN.value, most=limit)
    groups = [str(row[0]) for row in found]
    if groups:
        gone = await writing.fetch("groups/remove_members", groups=groups, most=limit)
        await remove_linked(writing, [*(After(group, "group") for group in groups), *(After(row[0]) for row in gone)])
        await writing.fetch("groups/remove", groups=groups)
    await writing.tell()


async def delete_ended(writing: Writing, limit: int) -> int:
    """Delete ended tasks whose time is over and that nobody needs any more, and what else has had its time."""
    (unpinned,) = await writing.fetch("unpin", live=_LIVE, most=limit)
    (deleted,) = await writing.fetch("retain", live=_LIVE, most=limit - unpinned["tally"])
    await writing.fetch("groups/forget", live=_LIVE, most=limit)
    await writing.fetch("forget", most=limit, locks_kept=_LOCKS_KEPT)
    await writing.fetch("limits/forget", most=limit)
    return int(unpinned["tally"] + deleted["tally"])
