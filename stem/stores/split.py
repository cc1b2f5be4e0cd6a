"""Messages on one engine, results on another."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, cast

from stem.clock import Micros
from stem.contracts.adapter import Warns
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Bury, Change, Settle, Verdict
from stem.contracts.outcomes import Outcome
from stem.contracts.queries import Page, StoredResult, TaskFilter
from stem.contracts.store import Delivery, LeaseAnswer, LeaseRequest, Listener, Store, Subscription, TakeRequest
from stem.contracts.wellformed import refuse
from stem.contracts.within import Joiner, Joins
from stem.stores.delegate import StoreDelegate
from stem.stores.outcome import Held, ending_of, ends_by, outcome_of, settled_by
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord

__all__ = ["SplitStore", "split"]

_REMEMBERED: Final = 100_000
"""So many leased tasks are known; of an older one the broker is asked."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """A change that ends a task, where it stands in its batch, and the outcome that it makes."""

    place: int
    change: Change
    write: Settle | Bury
    outcome: Outcome
    envelope: bytes


class SplitStore(StoreDelegate):
    """A broker that has the messages, and a store that has the results: any two engines.

    The first outcome of a generation that is recorded in the results wins; only then is the message ended in the
    broker, with joins and publishes, as that outcome says. After a crash between the two the message comes back, its
    outcome is found, and it is ended without being run: the end can be written again, and is never lost. Everything
    that is not a result (groups, keys, pauses, schedules) is the broker's.
    """

    def __init__(self, broker: Store, results: Store) -> None:
        super().__init__(broker)
        self._results = results
        self._held: OrderedDict[str, Held] = OrderedDict()

    @property
    def capabilities(self) -> Capabilities:
        """What both can do."""
        broker, results = self._store.capabilities, self._results.capabilities
        return Capabilities(
            durable=broker.durable and results.durable,
            shared=broker.shared and results.shared,
            max_value=min(broker.max_value, results.max_value),
            outcomes=False,
        )

    async def warnings(self) -> tuple[str, ...]:
        """What in the settings of either server can lose accepted work."""
        both = [await store.warnings() for store in (self._store, self._results) if isinstance(store, Warns)]
        return tuple(chain.from_iterable(both))

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Record outcomes, then end the messages as the outcomes that stand say; see `Store.commit`."""
        largest = self.capabilities.max_value
        verdicts: dict[int, Verdict] = {}
        sound: dict[int, Change] = {}
        for place, change in enumerate(changes):
            refused = refuse(change, largest)
            if refused is None:
                sound[place] = change
            else:
                verdicts[place] = refused
        settled = await self._settled(sound)
        verdicts.update(zip(settled, await self._store.commit(list(settled.values())), strict=True))
        return [verdicts[place] for place in range(len(changes))]

    async def _settled(self, changes: Mapping[int, Change]) -> dict[int, Change]:
        """The changes as the outcomes that stand have them, after recording those that are the first."""
        settled = dict(changes)
        endings = await self._endings(changes)
        if endings:
            standing = await self._results.record_outcomes([ending.outcome for ending in endings])
            for ending, outcome in zip(endings, standing, strict=True):
                settled[ending.place] = settled_by(ending.change, ending.write, outcome, ending.envelope)
        return settled

    async def _endings(self, changes: Mapping[int, Change]) -> list[_Ending]:
        """The outcomes to be recorded; none for a lease that no longer stands: the broker fences that."""
        ending = {
            place: (change, change.fence, write)
            for place, change in changes.items()
            if change.fence is not None and (write := ending_of(change)) is not None
        }
        held = await self._held_of([fence.task_id for _, fence, _ in ending.values()])
        return [
            _Ending(place, change, write, outcome_of(change, write, fence, known), known.envelope)
            for place, (change, fence, write) in ending.items()
            if (known := held.get(fence.task_id)) is not None and known.fence == fence.counter
        ]

    async def _held_of(self, tasks: Sequence[str]) -> dict[str, Held]:
        """What is known of these tasks, from this store's leases or else from the broker."""
        known = {task: held for task in tasks if (held := self._held.pop(task, None)) is not None}
        unknown = [task for task in tasks if task not in known]
        if unknown:
            known |= {task: _held_by(record) for task, record in (await self._store.get(unknown)).items()}
        return known

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See `Store.lease`; what has an outcome already is ended, not given."""
        answer = await self._store.lease(request)
        open_ = await self._without_ended(answer.deliveries)
        due = answer.next_due if len(open_) == len(answer.deliveries) else 0
        return LeaseAnswer(open_, due)

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """See `Store.take`; what has an outcome already is ended, not given."""
        return await self._without_ended(await self._store.take(request))

    async def _without_ended(self, deliveries: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
        again = [delivery for delivery in deliveries if delivery.deliveries > 1]
        known = await self._recorded([delivery.fence.task_id for delivery in again])
        ended = [d for d in again if d.fence.task_id in known and known[d.fence.task_id].generation == d.generation]
        if ended:
            await self._store.commit([Change(ends_by(known[d.fence.task_id], d.body), d.fence) for d in ended])
        gone = {delivery.fence for delivery in ended}
        given = tuple(delivery for delivery in deliveries if delivery.fence not in gone)
        self._remember(given)
        return given

    def _remember(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            fence = delivery.fence
            self._held[fence.task_id] = Held(fence.counter, delivery.generation, delivery.body)
        while len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> Mapping[str, StoredResult]:
        """How tasks stand in the broker, with the results that are recorded; what the broker forgot is answered too."""
        standing = await self._store.results(ids, even_expired=even_expired)
        found = {id_: known._replace(result=None) for id_, known in standing.items()}
        wanted = [id_ for id_ in ids if id_ not in found or found[id_].state is TaskState.SUCCEEDED]
        outcomes = await self._recorded(wanted)
        now = await self._results.now() if outcomes.keys() - found.keys() else 0
        for id_, outcome in outcomes.items():
            found[id_] = _with_result(found.get(id_), outcome, now, even_expired=even_expired)
        return found

    async def get(self, ids: Sequence[str]) -> Mapping[str, TaskRecord]:
        """The broker's records, with the results that are recorded."""
        return await self._with_results(await self._store.get(ids))

    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        """A page of the broker's, with the results that are recorded."""
        page = await self._store.list_tasks(where, limit=limit, after=after)
        records = await self._with_results({record.id: record for record in page.records})
        return replace(page, records=tuple(records.values()))

    async def _with_results(self, records: Mapping[str, TaskRecord]) -> dict[str, TaskRecord]:
        succeeded = [id_ for id_, record in records.items() if record.state is TaskState.SUCCEEDED]
        outcomes = await self._recorded(succeeded)
        return dict(records) | {id_: _record_with_result(records[id_], outcomes.get(id_)) for id_ in succeeded}

    async def _recorded(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        return await self._results.outcomes(ids) if ids else {}

    def listen(self, listener: Listener) -> Subscription:
        """See `Store.listen`; results are asked for."""
        return self._store.listen(lambda notice: listener(notice._replace(results={})))

    async def retain(self, limit: int) -> int:
        """Delete what both have kept long enough; how many tasks the broker deleted.

        A result that a live message waits for is kept until that has ended. Who dies on the way deletes less.
        """
        await self._results.retain(limit)
        old = await self._results.old_outcomes(limit)
        if old:
            await self._results.forget_outcomes(old, needed=await self._store.awaited(old))
        return await self._store.retain(limit)

    async def now(self) -> Micros:
        """The broker's clock, after both answered."""
        await self._results.now()
        return await self._store.now()

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """See `Outcomes.record_outcomes`."""
        return await self._results.record_outcomes(outcomes)

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """See `Outcomes.outcomes`."""
        return await self._results.outcomes(ids)

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """See `Outcomes.old_outcomes`."""
        return await self._results.old_outcomes(limit)

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """See `Outcomes.forget_outcomes`."""
        await self._results.forget_outcomes(ids, needed=needed)

    async def aclose(self) -> None:
        """Close both."""
        await asyncio.gather(self._store.aclose(), self._results.aclose())


class _JoiningSplitStore(SplitStore):
    """One whose broker lets callers publish in transactions of their own."""

    async def joiner(self) -> Joiner:
        """See `Joins.joiner`."""
        return await cast("Joins", self._store).joiner()


def split(broker: Store, results: Store) -> SplitStore:
    """The store that has its messages in one and its results in the other."""
    return _JoiningSplitStore(broker, results) if isinstance(broker, Joins) else SplitStore(broker, results)


def _held_by(record: TaskRecord) -> Held:
    return Held(record.fence, record.generation, record.envelope)


def _record_with_result(record: TaskRecord, outcome: Outcome | None) -> TaskRecord:
    is_ignored = record.ignore_result and record.result is None
    return replace(record, result=None if outcome is None or is_ignored else outcome.result)


def _with_result(found: StoredResult | None, outcome: Outcome, now: Micros, *, even_expired: bool) -> StoredResult:
    if found is not None:
        is_gone = found.ignored or (found.expired and not even_expired)
        return found._replace(result=None if is_gone else outcome.result)
    expired = outcome.result_until is not None and outcome.result_until <= now
    result = None if expired and not even_expired else outcome.result
    return StoredResult(outcome.state, result, outcome.error, expired=expired)
