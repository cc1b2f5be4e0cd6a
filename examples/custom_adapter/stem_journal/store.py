"""The store: the memory engine, and a journal that makes it the same again after a restart."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from stem.adapters.memory import MemoryStore
from stem.clock import Clock, Micros
from stem.contracts.adapter import StoreOptions
from stem.contracts.broadcasts import KEEP_BROADCAST
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.control import Revocation
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.limits import TaskLimit
from stem.contracts.locks import Lock
from stem.contracts.outcomes import Outcome
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Delivery, Keeper, LeaseAnswer, LeaseRequest, LeaseVerdict, Renewal, TakeRequest
from stem.stores.delegate import StoreDelegate
from stem_journal.journal import Entry, Journal

__all__ = ["JournalStore", "open_journal_store"]

T = TypeVar("T")

_CALLS: Final = frozenset(
    {
        *("commit", "lease", "take", "retain", "beat", "retire", "pause", "resume", "revoke", "broadcast"),
        *("acquire", "renew_lock", "release_lock", "put_schedule", "delete_schedule", "record_outcomes"),
        *("forget_outcomes", "declare_limits"),
    }
)
"""What a journal may ask for, besides `renew`: whatever else a file says is damage."""
_CAPABILITIES: Final = Capabilities(durable=True, shared=False)


class JournalClock:
    """The clock of the memory engine: the time of the call that is being made, now or again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.at: Micros | None = None

    def now(self) -> Micros:
        """See `Clock.now`."""
        return self._clock.now() if self.at is None else self.at

    def elapsed(self) -> Micros:
        """See `Clock.elapsed`."""
        return self._clock.elapsed()

    async def sleep(self, duration: Micros) -> None:
        """See `Clock.sleep`."""
        await self._clock.sleep(duration)


class JournalStore(StoreDelegate):
    """See `Store`. What changes something is written to the journal first, and then done in memory.

    A process that dies between the two has the call done when the journal is opened again, which is what the contract
    allows of a call that was not answered. Calls are made one after the other, as the journal has them: a call of the
    memory engine never waits, so that the lock is held for no longer than the call takes.
    """

    def __init__(self, journal: Journal, options: StoreOptions) -> None:
        self._journal = journal
        self._clock = JournalClock(options.clock)
        self._memory = MemoryStore(self._clock, options.retention)
        self._keeper = self._memory.keeper()
        self._one_at_a_time = threading.Lock()
        super().__init__(self._memory)

    @property
    def capabilities(self) -> Capabilities:
        """Durable, and not shared."""
        return _CAPABILITIES

    async def catch_up(self) -> None:
        """Do again what the journal says was done. Raises `StoreCorrupt`."""
        for entry in self._journal.entries():
            self._clock.at = entry.at
            if entry.call == "renew":
                self._keeper.renew(**entry.given)
            elif entry.call in _CALLS:
                await getattr(self._memory, entry.call)(**entry.given)
            else:
                raise self._journal.damaged(f"a call of '{entry.call}'")
        self._clock.at = None

    async def _do(self, call: Callable[..., Awaitable[T]], **given: object) -> T:
        with self._written(call.__name__, given):
            return await call(**given)

    @contextmanager
    def _written(self, call: str, given: dict[str, object]) -> Generator[None]:
        """The journal has the call before the block makes it, at the one time that both say."""
        with self._one_at_a_time:
            now = self._clock.now()
            self._journal.append(Entry(now, call, given))
            self._clock.at = now
            try:
                yield
            finally:
                self._clock.at = None

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """See `Store.commit`."""
        return await self._do(self._memory.commit, changes=changes)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See `Store.lease`."""
        return await self._do(self._memory.lease, request=request)

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """See `Store.take`."""
        return await self._do(self._memory.take, request=request)

    def keeper(self) -> Keeper:
        """See `Store.keeper`."""
        return JournalKeeper(self._keeper, self._written)

    async def retain(self, limit: int) -> int:
        """See `Store.retain`."""
        return await self._do(self._memory.retain, limit=limit)

    async def beat(self, heartbeat: Heartbeat) -> None:
        """See `Heartbeats.beat`."""
        await self._do(self._memory.beat, heartbeat=heartbeat)

    async def retire(self, worker: str) -> None:
        """See `Heartbeats.retire`."""
        await self._do(self._memory.retire, worker=worker)

    async def pause(self, queue: str, *, reason: str = "") -> None:
        """See `Control.pause`."""
        await self._do(self._memory.pause, queue=queue, reason=reason)

    async def resume(self, queue: str) -> bool:
        """See `Control.resume`."""
        return await self._do(self._memory.resume, queue=queue)

    async def revoke(self, revocations: Sequence[Revocation]) -> tuple[Revocation, ...]:
        """See `Control.revoke`."""
        return await self._do(self._memory.revoke, revocations=revocations)

    async def broadcast(self, channel: str, body: bytes, *, message_id: str, keep: Micros = KEEP_BROADCAST) -> None:
        """See `Broadcasts.broadcast`."""
        await self._do(self._memory.broadcast, channel=channel, body=body, message_id=message_id, keep=keep)

    async def acquire(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.acquire`."""
        return await self._do(self._memory.acquire, key=key, owner=owner, ttl=ttl)

    async def renew_lock(self, key: str, owner: str, ttl: Micros) -> Lock | None:
        """See `Locks.renew_lock`."""
        return await self._do(self._memory.renew_lock, key=key, owner=owner, ttl=ttl)

    async def release_lock(self, key: str, owner: str) -> bool:
        """See `Locks.release_lock`."""
        return await self._do(self._memory.release_lock, key=key, owner=owner)

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """See `Limits.declare_limits`."""
        await self._do(self._memory.declare_limits, limits=limits)

    async def put_schedule(
        self, schedule: str, spec: bytes, *, next_fire: Micros | None, enabled: bool = True, expected: int | None = None
    ) -> ScheduleRecord | None:
        """See `Schedules.put_schedule`."""
        given = {"next_fire": next_fire, "enabled": enabled, "expected": expected}
        return await self._do(self._memory.put_schedule, schedule=schedule, spec=spec, **given)

    async def delete_schedule(self, schedule: str, *, expected: int | None = None) -> bool:
        """See `Schedules.delete_schedule`."""
        return await self._do(self._memory.delete_schedule, schedule=schedule, expected=expected)

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """See `Outcomes.record_outcomes`."""
        return await self._do(self._memory.record_outcomes, outcomes=outcomes)

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """See `Outcomes.forget_outcomes`."""
        await self._do(self._memory.forget_outcomes, ids=ids, needed=sorted(needed))

    async def aclose(self) -> None:
        """Give the file back."""
        self._journal.close()


class JournalKeeper:
    """See `Keeper`. It runs in a thread of its own; the journal has its calls in their place among the others."""

    def __init__(
        self, keeper: Keeper, written: Callable[[str, dict[str, object]], AbstractContextManager[None]]
    ) -> None:
        self._keeper = keeper
        self._written = written

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """See `Keeper.renew`."""
        with self._written("renew", {"renewals": renewals}):
            return self._keeper.renew(renewals)

    def close(self) -> None:
        """Nothing is held."""


async def open_journal_store(path: str, options: StoreOptions) -> JournalStore:
    """The store that a journal makes. Raises what `Journal` raises."""
    journal = Journal(Path(path))
    try:
        store = JournalStore(journal, options)
        await store.catch_up()
    except BaseException:
        journal.close()
        raise
    return store
