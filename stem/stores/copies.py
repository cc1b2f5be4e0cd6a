"""The copies of a broadcast, as the store knows them."""

from __future__ import annotations

from typing import Final

from stem.contracts.store import Store
from stem.tasks.broadcast import by_worker, copies_group
from stem.tasks.status import TaskRecord

__all__ = ["copies_of"]

_PAGE: Final = 500


async def copies_of(store: Store, task_id: str, generation: int) -> dict[str, TaskRecord]:
    """The copies that were made of a task in this generation, by worker; none where it was not handed out.

    A copy whose record is deleted is left out.
    """
    group, after = copies_group(task_id, generation), -1
    found: dict[str, TaskRecord] = {}
    while page := await store.members(group, limit=_PAGE, after=after):
        found |= by_worker((await store.get([copy for _, copy in page])).values())
        after = page[-1][0]
    return found
