"""Pauses of queues, and revocations of tasks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from stem.adapters.redis.changes import cut, dump
from stem.adapters.redis.part import Part
from stem.adapters.redis.rows import LATEST
from stem.adapters.redis.scripts import KEYS
from stem.contracts.control import Pause, Revocation
from stem.contracts.store import Notice

__all__ = ["ControlPart"]

_AT_A_TIME: Final = 300
"""Revocations of a script call, with three writes for each."""
_MOST: Final = 1_000
_PAUSES: Final = KEYS.index("pauses")
_TIME: Final = 8
"""The bytes of a time."""


class ControlPart(Part):
    """`stem.contracts.control.Control` on hashes of the namespace."""

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """From now on no lease call gives a message of this queue; what is leased goes on."""
        await self.server.run("control/pause", queue, reason)

    async def resume(self, queue: str) -> bool:
        """End the pause and wake who waits for the queue; whether it was paused."""
        found: int = await self.server.run("control/resume", self.server.channel, self._origin, queue)
        if found:
            self._wake.tell(Notice(frozenset((queue,))))
        return bool(found)

    async def pauses(self) -> tuple[Pause, ...]:
        """The paused queues, by name."""
        found: dict[bytes, bytes] = await self.server.command("HGETALL", self.server.keys[_PAUSES])
        pauses = [_pause(queue, text) for queue, text in found.items()]
        return tuple(sorted(pauses, key=lambda pause: pause.queue))

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """Record each whose version is above the recorded one's; for each id, in order, the one that now holds."""
        standing: list[bytes] = []
        for at in range(0, len(revocations), _AT_A_TIME):
            asked = [_asked(revocation) for revocation in revocations[at : at + _AT_A_TIME]]
            standing += await self.server.run("control/revoke", dump(asked))
        return tuple(map(_revocation, standing))

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """Those not expired, by (version, task id), from the one behind `after` on; at most 1,000 in one call."""
        behind = () if after is None else (cut(after[0]), after[1])
        texts: list[bytes] = await self.server.run("control/revocations", min(limit, _MOST), *behind)
        return tuple(map(_revocation, texts))

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """The revocations, not expired, of these ids."""
        texts: list[bytes] = []
        asked = list(dict.fromkeys(ids))
        for at in range(0, len(asked), _MOST):
            texts += await self.server.run("control/revoked", *asked[at : at + _MOST])
        return tuple(map(_revocation, texts))


def _pause(queue: bytes, text: bytes) -> Pause:
    since = int.from_bytes(text[:_TIME], "big")
    return Pause(queue=queue.decode(), since=since, reason=text[_TIME:].decode())


def _asked(revocation: Revocation) -> list[object]:
    ends = LATEST if revocation.expires_at is None else cut(revocation.expires_at)
    return [revocation.task_id, cut(revocation.version), ends, dump(asdict(revocation))]


def _revocation(text: bytes) -> Revocation:
    return Revocation(**json.loads(text))
