"""Finds what dead workers held, and takes it; an outage, a clock step or a suspended machine makes no duplicates."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.changes import Change, Fence
from stem.contracts.store import Delivery, Store, Suspect, TakeRequest
from stem.errors import StoreError
from stem.ids import new_id
from stem.tasks.broadcast import worker_of
from stem.worker.crashed import decide_crashed, is_buried
from stem.worker.run import Jobs
from stem.worker.slots import Slots
from stem.worker.traces import NO_TRACES, Traces, traces_of

__all__ = ["Observations", "Sweeper", "grace", "observe"]

_LONGEST_GAP: Final[Micros] = 5_000_000
_SECOND: Final[Micros] = 1_000_000
_RETAIN: Final = 500
_RETAIN_ROUNDS: Final = 20
_RETAIN_PAUSE: Final[Micros] = 60_000_000

_log: Final = logging.getLogger("stem.worker")

Key = tuple[Fence, Micros]
"""A lease that stands still: the fence and the expiry that both have to stay."""


@dataclass(frozen=True, slots=True)
class Observations:
    """Since when, by the sweeper's own clock, each suspect has stood unchanged, and when that was last looked at."""

    at: Micros | None = None
    begun: Micros = 0
    """When the first of the looks was, between which there was no gap."""
    since: Mapping[Key, Micros] = field(default_factory=dict[Key, Micros])


def grace(lease: Micros) -> Micros:
    """How long a lease may stand still: a third of its length and one second."""
    return lease // 3 + _SECOND


def observe(before: Observations, suspects: Iterable[Suspect], now: Micros) -> tuple[Observations, tuple[Suspect, ...]]:
    """What is known after this sweep, and the leases to take.

    One is taken when the store's clock says that it has expired and it has stood unchanged for its grace under our own
    clock, or when it has stood unchanged for its whole length. After a gap of over 5 s everything is observed anew.
    """
    goes_on = before.at is not None and now - before.at <= _LONGEST_GAP
    known: Mapping[Key, Micros] = before.since if goes_on else {}
    since: dict[Key, Micros] = {}
    taken: list[Suspect] = []
    for suspect in suspects:
        key = (suspect.fence, suspect.lease_until)
        first = since[key] = known.get(key, now)
        stood = now - first
        if stood >= suspect.lease or (suspect.expired and stood >= grace(suspect.lease)):
            taken.append(suspect)
    return Observations(now, before.begun if goes_on else now, since), tuple(taken)


class Sweeper:
    """One look at a time: observe, take, decide what becomes of what was taken, delete what was kept long enough."""

    def __init__(
        self,
        store: Store,
        slots: Slots,
        jobs: Jobs,
        *,
        worker: str,
        clock: Clock,
        commit: Callable[[Delivery, Change], None],
        rescued: Callable[[Delivery], None],
    ) -> None:
        self._store = store
        self._slots = slots
        self._jobs = jobs
        self._worker = worker
        self._clock = clock
        self._commit = commit
        self._rescued = rescued
        self._seen = Observations()
        self._retain_at = 0

    async def sweep(self) -> None:
        """One sweep; the store's failing starts the observation anew and is no error here."""
        try:
            await self._rescue()
            await self._retain()
        except StoreError as error:
            self._seen = Observations()
            _log.warning("a sweep failed (%s); observing anew", error.code)

    def steady(self) -> Micros:
        """For how long the store has answered every sweep, by the worker's own clock."""
        return 0 if self._seen.at is None else self._seen.at - self._seen.begun

    async def _rescue(self) -> None:
        found = await self._store.suspects()
        self._seen, taken = observe(self._seen, found, self._clock.elapsed())
        taken = not_ours(taken, {held.fence for held in self._slots.held()} if taken else ())
        for lease, suspects in by_lease(taken).items():
            asked_at = self._clock.elapsed()
            request = TakeRequest(request_id=new_id(), worker=self._worker, suspects=suspects, lease=lease)
            lost = await self._store.take(request)
            traces = await self._traces(lost)
            for delivery in lost:
                self._rescued(delivery)
                self._receive(delivery, asked_at, traces.get(delivery.fence.task_id, NO_TRACES))

    async def _traces(self, lost: Iterable[Delivery]) -> Mapping[str, Traces]:
        """What is known of the end of those that are to be buried, by id; for others nobody is asked."""
        dead = [delivery for delivery in lost if is_buried(self._decide(delivery))]
        if not dead:
            return {}
        try:
            workers = await self._store.workers()
            records = await self._store.get([delivery.fence.task_id for delivery in dead])
        except StoreError as error:
            _log.warning("what lost workers left could not be read (%s)", error.code)
            return {}
        return {
            id_: traces_of(delivery.lost_by, workers, records[id_].progress if id_ in records else None)
            for delivery in dead
            for id_ in (delivery.fence.task_id,)
        }

    def _decide(self, delivery: Delivery, traces: Traces = NO_TRACES) -> Change | None:
        job = self._jobs.get(delivery.name)
        free = self._slots.free > 0 and worker_of(delivery.queue) in (None, self._worker)
        return decide_crashed(
            delivery,
            job.rules if job is not None else None,
            free=free,
            random=random.random(),  # noqa: S311  # spreads retries; nothing secret hangs on it
            traces=traces,
        )

    def _receive(self, delivery: Delivery, asked_at: Micros, traces: Traces) -> None:
        change = self._decide(delivery, traces)
        if change is None:
            self._slots.offer(delivery, asked_at=asked_at)
        else:
            self._commit(delivery, change)

    async def _retain(self) -> None:
        """In every sweep while there is something to delete, else once a minute; also where the last try failed.

        That is no failure of the sweep: what cannot be deleted keeps nothing from being rescued.
        """
        now = self._clock.elapsed()
        if now < self._retain_at:
            return
        self._retain_at = now + _RETAIN_PAUSE
        try:
            if await self._delete():
                self._retain_at = now
        except StoreError as error:
            _log.warning("what is over could not be deleted (%s); trying again in a minute", error.code)

    async def _delete(self) -> int:
        """Delete what is over, in portions, and not all of very much at once; how many the last portion had."""
        found = 0
        for _ in range(_RETAIN_ROUNDS):
            found = await self._store.retain(_RETAIN)
            if found < _RETAIN:
                break
        return found


def by_lease(suspects: Iterable[Suspect]) -> dict[Micros, tuple[Suspect, ...]]:
    """The suspects by the length of their lease, which a rescue keeps."""
    groups: dict[Micros, tuple[Suspect, ...]] = {}
    for suspect in suspects:
        groups[suspect.lease] = (*groups.get(suspect.lease, ()), suspect)
    return groups


def not_ours(suspects: Iterable[Suspect], held: Collection[Fence]) -> tuple[Suspect, ...]:
    """Without the leases of attempts that run in this process: those live, whatever keeps them from being renewed."""
    return tuple(suspect for suspect in suspects if suspect.fence not in held)
