"""Broadcasts: a task is handed out to every worker that lives, and watched until each copy has ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from stem.clock import Micros
from stem.contracts.changes import Cancel, Change, OpenGroup, Publish, Release, Report, SealGroup, Settle, Write
from stem.contracts.heartbeats import WorkerRecord
from stem.contracts.store import Delivery, Store
from stem.errors import StoreError, Undecodable
from stem.stores.copies import copies_of
from stem.tasks.broadcast import copies_for, copies_group, tell_copies
from stem.tasks.envelope import Envelope, decode_envelope, encode_envelope
from stem.tasks.links import Member
from stem.tasks.state import TaskEvent
from stem.tasks.status import Progress, TaskRecord
from stem.worker.decide import Stop, decide_guard, decide_revoked, decide_stopped
from stem.worker.held import Held
from stem.worker.revoked import Revoked
from stem.worker.unfit import decide_undecodable

__all__ = [
    "ASK_AGAIN",
    "Herald",
    "decide_end",
    "decide_handout",
    "decide_watch",
    "is_gone",
    "look_pause",
    "may_come_back",
    "served_by",
    "with_copies",
]

ASK_AGAIN: Final[Micros] = 1_000_000
"""After so long a task comes back of which the store did not say what is to become of it."""

_FIRST_LOOK: Final[Micros] = 1_000_000
_LONGEST_PAUSE: Final[Micros] = 5_000_000
_BEATS: Final = 3
_USUAL_BEAT: Final[Micros] = 5_000_000

_log: Final = logging.getLogger("stem.worker")


class Herald:
    """Decides what becomes of an announcement each time that this worker gets it.

    The first time it is handed out: one change leaves a copy for each live worker of its queue, and gives it back. It
    comes again, to any worker, until every copy has ended; copies that a worker which is gone has not ended are
    cancelled. `steady` is for how long the store has answered without a break: after an outage every worker looks late,
    and nobody is passed over or taken for gone before he could be heard.
    """

    def __init__(self, store: Store, *, revoked: Revoked, worker: str, steady: Callable[[], Micros]) -> None:
        self._store = store
        self._revoked = revoked
        self._worker = worker
        self._steady = steady

    async def change(self, held: Held) -> Change | None:
        """The change that settles this delivery; `None` for one that was lost."""
        if held.stop in (Stop.LOST, Stop.SHUTDOWN):
            return decide_stopped(held.delivery, held.stop)
        try:
            return await self._decided(held.delivery)
        except Undecodable as error:
            return decide_undecodable(held.delivery, error)
        except StoreError as error:
            _log.warning("what became of broadcast %s could not be read (%s)", held.fence.task_id, error.code)
            return Change((Release(ASK_AGAIN),), held.fence)

    async def _decided(self, delivery: Delivery) -> Change:
        task, generation = delivery.fence.task_id, delivery.generation
        group = await self._store.group(copies_group(task, generation))
        copies = {} if group is None else await copies_of(self._store, task, generation)
        revocation = await self._revoked.standing(task) if task in self._revoked.ids else None
        if group is not None and group.state.is_closed:
            return decide_end(delivery, copies)
        if revocation is not None:
            return with_copies(decide_revoked(delivery, revocation), copies)
        if group is None:
            return await self._begun(delivery)
        return decide_watch(delivery, copies, await self._gone(copies))

    async def _begun(self, delivery: Delivery) -> Change:
        """Hand it out, unless that was done: a group may be forgotten while nobody serves the queue of its
        announcement."""
        record = (await self._store.get([delivery.fence.task_id]))[delivery.fence.task_id]
        if record.progress is not None:
            return decide_end(delivery, {})
        return decide_guard(delivery) or await self._handed_out(delivery, record)

    async def _handed_out(self, delivery: Delivery, announced: TaskRecord) -> Change:
        seen = await self._store.workers()
        if may_come_back(seen, delivery.queue, self._steady()):
            return Change((Release(ASK_AGAIN),), delivery.fence)
        workers = served_by(seen, delivery.queue)
        expires = None if delivery.expires_at is None else max(1, delivery.expires_at - await self._store.now())
        envelope = decode_envelope(delivery.body)
        names = sorted({*workers, self._worker})
        copies = copies_for(names, envelope, generation=delivery.generation, expires=expires)
        return decide_handout(delivery, copies, announced)

    async def _gone(self, workers: Iterable[str]) -> set[str]:
        seen = {record.heartbeat.worker: record for record in await self._store.workers()}
        steady = self._steady()
        return {name for name in workers if name != self._worker and is_gone(seen.get(name), steady)}


def served_by(workers: Iterable[WorkerRecord], queue: str) -> list[str]:
    """The workers that live and serve this queue."""
    return [seen.heartbeat.worker for seen in workers if not seen.late and queue in seen.heartbeat.queues]


def may_come_back(workers: Iterable[WorkerRecord], queue: str, steady: Micros) -> bool:
    """Whether a worker of this queue is late that could not be heard yet."""
    return any(seen.late and queue in seen.heartbeat.queues and not is_gone(seen, steady) for seen in workers)


def is_gone(seen: WorkerRecord | None, steady: Micros) -> bool:
    """Whether a worker has signed off or is late, although it could have been heard for three beats."""
    if seen is None:
        return steady >= _BEATS * _USUAL_BEAT
    return seen.late and steady >= _BEATS * seen.heartbeat.every


def look_pause(deliveries: int) -> Micros:
    """How long until the copies are looked at again: a second the first time, doubling up to five."""
    return min(_FIRST_LOOK << min(deliveries - 1, 10), _LONGEST_PAUSE)


def decide_handout(delivery: Delivery, copies: Sequence[Envelope], announced: TaskRecord) -> Change:
    """One change: the announcement goes back, and each copy is a member of a group that closes when all have ended."""
    group = copies_group(delivery.fence.task_id, delivery.generation)
    publishes = [
        Publish(
            envelope=copy,
            body=encode_envelope(copy),
            member=Member(group, place),
            rate_key=announced.rate_key,
            concurrency_key=announced.concurrency_key,
        )
        for place, copy in enumerate(copies)
    ]
    opened = OpenGroup(
        group=group, size=len(copies), policy="settled", root=copies[0].root, result_ttl=copies[0].result_ttl
    )
    return _back(delivery, 0, len(copies), opened, *publishes, SealGroup(group))


def decide_watch(delivery: Delivery, copies: Mapping[str, TaskRecord], gone: set[str]) -> Change:
    """Cancelled, it ends with all its copies; else it goes back, and copies for workers that are gone are cancelled."""
    if delivery.cancel_requested:
        return with_copies(Change((Settle(TaskEvent.CANCELLED),), delivery.fence), copies)
    ended = sum(copy.state.is_terminal for copy in copies.values())
    return with_copies(
        _back(delivery, ended, len(copies)), {worker: copy for worker, copy in copies.items() if worker in gone}
    )


def decide_end(delivery: Delivery, copies: Mapping[str, TaskRecord]) -> Change:
    """Every copy has ended, in whatever way."""
    result = tell_copies({worker: copy.id for worker, copy in copies.items()})
    return Change((Settle(TaskEvent.SUCCEEDED, result),), delivery.fence)


def with_copies(change: Change, copies: Mapping[str, TaskRecord]) -> Change:
    """The change, by which those of the copies are cancelled that live."""
    live = (Cancel(copy.id) for copy in copies.values() if not copy.state.is_terminal)
    return change._replace(writes=(*change.writes, *live))


def _back(delivery: Delivery, ended: int, copies: int, *writes: Write) -> Change:
    """It goes back, and tells how far it is; so it also tells, for as long as it is there, that it was handed out."""
    told = Progress(delivery.deliveries, ended, copies, "copies that have ended")
    return Change((Report(told), Release(look_pause(delivery.deliveries)), *writes), delivery.fence)
