"""Builders for tests of storage: envelopes, publishes, and a bench that says in one word what a test does often."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from stem.clock import Micros
from stem.contracts.changes import APPLIED, Change, Fence, Publish, Refused, Settle, Start, UniqueKey, Verdict, Write
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Delivery, LeaseAnswer, LeaseRequest, Store, Suspect, TakeRequest
from stem.ids import new_id
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.links import After, Member
from stem.tasks.options import JsonValue
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, TaskRecord
from stem.testing.clock import ManualClock

__all__ = [
    "BACKOFF",
    "FAILURE",
    "SECOND",
    "START",
    "SUCCESS",
    "Bench",
    "EnvelopeFields",
    "LeaseFields",
    "label",
    "make_envelope",
    "publish",
    "seconds",
]

SECOND: Micros = 1_000_000
BACKOFF = Backoff(initial=2 * SECOND, factor=2.0, max_delay=60 * SECOND, jitter=0.0)
START = Start(BACKOFF)
SUCCESS = Settle(TaskEvent.SUCCEEDED, result=b'"done"')
FAILURE = Settle(TaskEvent.FAILED, error=Failure("ValueError", "no"))


class EnvelopeFields(TypedDict, total=False):
    """What an envelope made here may be given."""

    id: str
    name: str
    payload: bytes
    version: int
    contract: str
    queue: str
    priority: int
    max_retries: int
    expires: Micros | None
    result_ttl: Micros
    ignore_result: bool
    retry: Backoff | None
    headers: Mapping[str, str]
    meta: Mapping[str, JsonValue]
    tags: tuple[str, ...]
    root: str
    parent: str | None


class LeaseFields(TypedDict, total=False):
    """What a lease request made here may be given."""

    queues: Mapping[str, int]
    request_id: str
    worker: str
    fingerprint: str
    started: int
    lease: Micros
    leases: Mapping[str, Micros]
    stands_as: str
    stood: tuple[str, ...]


def seconds(count: float) -> Micros:
    """Microseconds."""
    return round(count * SECOND)


def label(write: Write) -> str:
    """A short name of a write, for the parameters of a test."""
    name = type(write).__name__.lower()
    return f"{name}-{write.event.name.lower()}" if isinstance(write, Settle) else name


def make_envelope(**given: Unpack[EnvelopeFields]) -> Envelope:
    """An envelope with a fresh id, the name `tests.task` and an empty payload, but for what is given."""
    return Envelope(id=new_id(), name="tests.task", payload=b"{}")._replace(**given)


def publish(
    envelope: Envelope | None = None,
    *,
    delay: Micros = 0,
    not_before: Micros | None = None,
    unique: UniqueKey | None = None,
    after: After | None = None,
    member: Member | None = None,
    rate_key: str | None = None,
    concurrency_key: str | None = None,
    **given: Unpack[EnvelopeFields],
) -> Publish:
    """The write that publishes this envelope, or one made of what else is given."""
    envelope = envelope or make_envelope(**given)
    return Publish(
        envelope=envelope,
        body=encode_envelope(envelope),
        delay=delay,
        not_before=not_before,
        unique=unique,
        after=after,
        member=member,
        rate_key=rate_key,
        concurrency_key=concurrency_key,
    )


@dataclass(slots=True)
class Bench:
    """A store and its clock. Each method does one step and asserts that it went as such a step goes."""

    store: Store
    clock: ManualClock
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def write(self, *writes: Write, fence: Fence | None = None, number: int = 1) -> Verdict:
        """Commit one change; its verdict."""
        (verdict,) = await self.store.commit([Change(writes, fence, number)])
        return verdict

    async def apply(self, *writes: Write, fence: Fence | None = None, number: int = 1) -> None:
        """Commit one change that must be applied."""
        assert await self.write(*writes, fence=fence, number=number) == APPLIED

    async def put(
        self,
        *,
        delay: Micros = 0,
        not_before: Micros | None = None,
        unique: UniqueKey | None = None,
        after: After | None = None,
        member: Member | None = None,
        rate_key: str | None = None,
        concurrency_key: str | None = None,
        **given: Unpack[EnvelopeFields],
    ) -> str:
        """Publish a task; its id."""
        write = publish(
            delay=delay,
            not_before=not_before,
            unique=unique,
            after=after,
            member=member,
            rate_key=rate_key,
            concurrency_key=concurrency_key,
            **given,
        )
        await self.apply(write)
        return write.envelope.id

    async def lease(self, limit: int = 1, **given: Unpack[LeaseFields]) -> LeaseAnswer:
        """Ask for messages, of the queue `default` where no other is given."""
        nonce = f"request-{next(self._numbers)}-{new_id()}"
        request = LeaseRequest(
            request_id=nonce, worker="worker-1", fingerprint="registry-1", queues={"default": 1}, limit=limit
        )
        return await self.store.lease(request._replace(**given))

    async def leased_ids(self, limit: int = 1, **given: Unpack[LeaseFields]) -> list[str]:
        """The ids that a lease request was given, in order."""
        answer = await self.lease(limit, **given)
        return [delivery.fence.task_id for delivery in answer.deliveries]

    async def delivery(self, **given: Unpack[LeaseFields]) -> Delivery:
        """Lease exactly one message, which must be there."""
        (delivery,) = (await self.lease(1, **given)).deliveries
        return delivery

    async def running(self, *, unique: UniqueKey | None = None, **given: Unpack[EnvelopeFields]) -> Delivery:
        """Publish a task and lease it; no other may be waiting."""
        task_id = await self.put(unique=unique, **given)
        delivery = await self.delivery(queues={given.get("queue", "default"): 1})
        assert delivery.fence.task_id == task_id
        return delivery

    async def finish(self, end: Write = SUCCESS, **given: Unpack[LeaseFields]) -> str:
        """Lease the next message, which must be there, and end it in this way; its id."""
        delivery = await self.delivery(**given)
        await self.apply(end, fence=delivery.fence)
        return delivery.fence.task_id

    async def finish_all(self, **given: Unpack[LeaseFields]) -> list[str]:
        """End all that is due with success, and what becomes due by that; the ids in order."""
        done: list[str] = []
        while deliveries := (await self.lease(100, **given)).deliveries:
            await self.store.commit([Change((SUCCESS,), delivery.fence) for delivery in deliveries])
            done += [delivery.fence.task_id for delivery in deliveries]
        return done

    async def refused(self, *writes: Write, fence: Fence | None = None) -> str:
        """Commit one change that must be refused; the code."""
        verdict = await self.write(*writes, fence=fence)
        assert isinstance(verdict, Refused)
        return verdict.code

    async def record(self, task_id: str) -> TaskRecord:
        """The record of a task, which must be known."""
        return (await self.store.get([task_id]))[task_id]

    async def state(self, task_id: str) -> TaskState:
        """The state of a task, which must be known."""
        return (await self.record(task_id)).state

    async def everything(self) -> dict[str, TaskRecord]:
        """All records, by id."""
        page = await self.store.list_tasks(TaskFilter(), limit=10_000)
        return {record.id: record for record in page.records}

    async def suspect(self, fence: Fence) -> Suspect:
        """The lease of this fence, which must be a suspect."""
        (found,) = [suspect for suspect in await self.store.suspects() if suspect.fence == fence]
        return found

    async def take(self, *suspects: Suspect, worker: str = "worker-2", request_id: str | None = None) -> list[Delivery]:
        """Take over these leases."""
        nonce = request_id or f"take-{next(self._numbers)}-{new_id()}"
        request = TakeRequest(request_id=nonce, worker=worker, suspects=suspects)
        return list(await self.store.take(request))

    async def lose(self, delivery: Delivery, *, worker: str = "worker-2") -> Delivery:
        """Let the lease of a delivery run out and take it over; the delivery as its rescuer gets it."""
        self.clock.advance(delivery.lease / SECOND + 1)
        (rescued,) = await self.take(await self.suspect(delivery.fence), worker=worker)
        return rescued
