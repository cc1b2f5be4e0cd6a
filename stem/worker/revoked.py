"""The revocations that a worker knows: what it must not run, asked once and then told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stem.contracts.control import Control, Revocation

__all__ = ["Revoked"]

_PAGE: Final = 500


class Revoked:
    """Ids that were revoked at some time. Whether one still is, is asked of the store when such a task comes."""

    def __init__(self, store: Control) -> None:
        self._store = store
        self.ids: set[str] = set()
        self._seen: tuple[int, str] | None = None

    async def learn(self) -> list[Revocation]:
        """Those that are new since the last time. Raises `StoreError`; the next call goes on from where it was."""
        new: list[Revocation] = []
        while page := await self._store.revocations(limit=_PAGE, after=self._seen):
            new += page
            self.ids.update(revocation.task_id for revocation in page)
            self._seen = (page[-1].version, page[-1].task_id)
        return new

    async def learn_of(self, ids: Iterable[str]) -> list[Revocation]:
        """Those of these ids: for a revocation whose version is below one that was seen already."""
        found = await self._store.revoked(tuple(ids))
        self.ids.update(revocation.task_id for revocation in found)
        return list(found)

    async def standing(self, task_id: str) -> Revocation | None:
        """The revocation of this id that holds now; an id without one is forgotten."""
        found = await self._store.revoked((task_id,))
        if not found:
            self.ids.discard(task_id)
        return next(iter(found), None)
