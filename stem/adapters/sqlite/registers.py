"""What does not compose with a task's changes: pauses, revocations, broadcasts, locks, limits and more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from stem.adapters.sqlite import broadcasts, control, locks, schedules
from stem.adapters.sqlite.desk import Desk
from stem.adapters.sqlite.limits import declare_limits, find_room, list_limits
from stem.adapters.sqlite.outcomes import find_outcomes, forget_outcomes, list_old, record_outcomes
from stem.clock import Micros
from stem.contracts.broadcasts import KEEP_BROADCAST, Broadcast
from stem.contracts.control import Pause, Revocation
from stem.contracts.limits import Room, TaskLimit
from stem.contracts.locks import Lock
from stem.contracts.outcomes import Outcome
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Notice

__all__ = ["Registers"]


class Registers(Desk):
    """`Control`, `Broadcasts`, `Locks`, `Limits`, `Schedules` and `Outcomes`."""

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """Lease nothing from this queue from now on."""
        await self._writer.run(lambda c: control.pause_queue(c, queue, reason, self._now()))

    async def resume(self, queue: str) -> bool:
        """End the pause and wake who waits for the queue."""
        was_paused = await self._writer.run(lambda c: control.resume_queue(c, queue))
        self._wake.tell(Notice(frozenset({queue})))
        return was_paused

    async def pauses(self) -> tuple[Pause, ...]:
        """The paused queues, by name."""
        return await self._reader.run(control.list_pauses)

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """Record what is newer; what holds now."""
        return await self._writer.run(lambda c: control.revoke_tasks(c, revocations, self._clock))

    async def revocations(self, *, limit: int, after: tuple[int, str] | None = None) -> tuple[Revocation, ...]:
        """Those not expired, by version and id."""
        return await self._reader.run(lambda c: control.list_revocations(c, limit, after, self._now()))

    async def revoked(self, ids: Sequence[str]) -> tuple[Revocation, ...]:
        """The revocations, not expired, of these ids."""
        return await self._reader.run(lambda c: control.find_revoked(c, ids, self._now()))

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """Say this to every listener of the channel."""
        is_new = await self._writer.run(
            lambda c: broadcasts.say(c, channel, body, message_id=message_id, keep=keep, clock=self._clock)
        )
        if is_new:
            self._wake.tell(Notice(channels=frozenset({channel})))

    async def broadcast_position(self) -> int:
        """The position of the latest message."""
        return await self._reader.run(broadcasts.current_position)

    async def broadcasts(self, channels: Sequence[str], *, after: int, limit: int) -> tuple[Broadcast, ...]:
        """Kept messages of the channels behind a position, in order."""
        return await self._reader.run(
            lambda c: broadcasts.hear_broadcasts(c, channels, after=after, limit=limit, now=self._now())
        )

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold the lock, if no other owner does."""
        return await self._writer.run(lambda c: locks.acquire_lock(c, key, owner, ttl, self._clock))

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """Hold it longer, if it is still this owner's."""
        return await self._writer.run(lambda c: locks.renew_lock(c, key, owner, ttl, self._clock))

    async def release_lock(self, key: str, owner: str) -> bool:
        """Give it up; whether it was this owner's."""
        return await self._writer.run(lambda c: locks.release_lock(c, key, owner, self._now()))

    async def lock(self, key: str) -> Lock | None:
        """Who holds it now."""
        return await self._reader.run(lambda c: locks.find_lock(c, key, self._now()))

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """Let these hold from now on, and wake who waits for what is judged anew."""
        await self._writer.run(lambda c: declare_limits(c, limits, self._terms), then=self._wake.tell)

    async def limits(self) -> tuple[TaskLimit, ...]:
        """All that are declared, by name."""
        return await self._reader.run(list_limits)

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """How the limits of a name stand for these keys."""
        return await self._reader.run(lambda c: find_room(c, name, rate_key or "", concurrency_key or ""))

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """Define a schedule, in the version that is expected."""
        return await self._writer.run(
            lambda c: schedules.put_schedule(c, schedule, spec, next_fire=next_fire, enabled=enabled, expected=expected)
        )

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """Forget a schedule, in the version that is expected."""
        return await self._writer.run(lambda c: schedules.delete_schedule(c, schedule, expected))

    async def schedule(self, schedule: str) -> ScheduleRecord | None:
        """The schedule with this id."""
        return await self._reader.run(lambda c: schedules.find_schedule(c, schedule))

    async def schedules(self, *, limit: int, after: str = "") -> tuple[ScheduleRecord, ...]:
        """Schedules by id."""
        return await self._reader.run(lambda c: schedules.list_schedules(c, limit, after))

    async def due_schedules(self, limit: int) -> tuple[ScheduleRecord, ...]:
        """Enabled schedules whose time has come, the oldest first."""
        return await self._reader.run(lambda c: schedules.due_schedules(c, limit, self._now()))

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Record the first outcome of each generation; what stands."""
        return await self._writer.run(lambda c: record_outcomes(c, outcomes, self._terms))

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """The latest outcomes of these ids."""
        return await self._reader.run(lambda c: find_outcomes(c, ids))

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """Tasks of which an outcome has been kept long enough."""
        return await self._reader.run(lambda c: list_old(c, limit, self._now()))

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """Delete the old outcomes of these tasks that are not needed."""
        await self._writer.run(lambda c: forget_outcomes(c, ids, needed, self._terms))
