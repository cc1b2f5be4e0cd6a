"""Taking revocations back."""

from __future__ import annotations

from collections.abc import Sequence

from stem.contracts.control import Revocation
from stem.contracts.store import Store

__all__ = ["lift", "lift_standing"]


async def lift(store: Store, ids: Sequence[str]) -> None:
    """These ids may run again."""
    now = await store.now()
    await store.revoke([Revocation(task_id=task_id, version=now, expires_at=now) for task_id in ids])


async def lift_standing(store: Store, ids: Sequence[str]) -> None:
    """Those of the ids that are revoked may run again: whoever replays a task wants it to run."""
    standing = await store.revoked(ids)
    if standing:
        await lift(store, [revocation.task_id for revocation in standing])
