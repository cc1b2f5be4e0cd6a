"""Pauses and revocations: a row for each."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from stem.adapters.postgres.part import Part
from stem.adapters.postgres.rows import columns
from stem.contracts.control import Pause, Revocation
from stem.contracts.store import Notice

__all__ = ["ControlPart"]

_REVOCATION = ("task_id", "version", "terminate", "reason", "requested_by", "expires_at")


class ControlPart(Part):
    """`stem.contracts.control.Control`."""

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """From now on no lease call that begins gives a message of this queue."""
        await self._ask("control/pause", queue=queue, reason=reason)

    async def resume(self, queue: str) -> bool:
        """End the pause and wake who waits for the queue; whether it was paused."""
        (row,) = await self._ask("control/resume", queue=queue)
        was_paused = row["queues"] is not None
        self._wake.tell(Notice(frozenset({queue}) if was_paused else frozenset()))
        return was_paused

    async def pauses(self) -> tuple[Pause, ...]:
        """The paused queues, by name."""
        return tuple(
            Pause(queue=queue, since=since, reason=reason) for queue, since, reason in await self._ask("control/pauses")
        )

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """Record each whose version is above the recorded one's; for each id, in order, the one that now holds.

        One that has expired is as if it had never been there.
        """
        highest: dict[str, Revocation] = {}
        for given in revocations:
            known = highest.get(given.task_id)
            if known is None or given.version > known.version:
                highest[given.task_id] = given
        rows = [tuple(getattr(highest[task], name) for name in _REVOCATION) for task in sorted(highest)]
        if rows:
            await self._ask("control/revoke", **columns(_REVOCATION, rows))
        found = await self._ask("control/revoked", ids=list(highest), even_expired=True)
        held = {revocation.task_id: revocation for revocation in map(_revocation, found)}
        return tuple(held[given.task_id] for given in revocations)

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """Those not expired, by (version, task id), from the one behind `after` on."""
        version, task = (None, None) if after is None else after
        rows = await self._ask("control/revocations", version=version, task=task, most=limit)
        return tuple(map(_revocation, rows))

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """The revocations, not expired, of these ids."""
        return tuple(map(_revocation, await self._ask("control/revoked", ids=list(ids), even_expired=False)))


def _revocation(row: asyncpg.Record) -> Revocation:
    task_id, version, terminate, reason, requested_by, expires_at = row
    return Revocation(
        task_id=task_id,
        version=version,
        terminate=terminate,
        reason=reason,
        requested_by=requested_by,
        expires_at=expires_at,
    )
