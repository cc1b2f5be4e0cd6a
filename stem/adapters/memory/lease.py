"""Leasing, renewing and rescuing, over the tables."""

from __future__ import annotations

from stem.adapters.memory.batch import Batch
from stem.adapters.memory.pick import Pick
from stem.adapters.memory.rows import Answer, Lease, Message
from stem.adapters.memory.tables import Tables
from stem.adapters.memory.turnstile import use_allowance
from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.contracts.losses import count_loss
from stem.contracts.store import (
    MAX_LEASE_BYTES,
    Delivery,
    LeaseAnswer,
    LeaseRequest,
    LeaseVerdict,
    Renewal,
    Suspect,
    TakeRequest,
)

__all__ = ["find_suspects", "lease_due", "renew_lease", "take_lost"]

_GRACE: Micros = 1_000_000


def lease_due(batch: Batch, request: LeaseRequest) -> LeaseAnswer:
    """See `Store.lease`."""
    tables, now = batch.tables, batch.now
    again = _given_before(tables, request.request_id)
    if again:
        return LeaseAnswer(again)
    pick = Pick.of(batch, request)
    deliveries: list[Delivery] = []
    size = 0
    while len(deliveries) < request.limit and (message := pick.next()) is not None:
        size += len(message.body)
        if deliveries and size > MAX_LEASE_BYTES:
            break
        deliveries.append(_grant(tables, message, request, now, started=len(deliveries) < request.started))
    pick.finish()
    short = len(deliveries) < request.limit
    return _answer(tables, request, deliveries, pick.next_due() if short else None)


def _answer(tables: Tables, request: LeaseRequest, deliveries: list[Delivery], next_due: Micros | None) -> LeaseAnswer:
    given = tuple(deliveries)
    if given:
        tables.answers[request.request_id] = Answer(given, len(given))
    return LeaseAnswer(given, next_due)


def _given_before(tables: Tables, nonce: str) -> tuple[Delivery, ...]:
    answer = tables.answers.get(nonce)
    if answer is None:
        return ()
    return tuple(delivery for delivery in answer.deliveries if find_held(tables, delivery.fence) is not None)


def _grant(tables: Tables, message: Message, request: LeaseRequest, now: Micros, *, started: bool) -> Delivery:
    tables.leave_line(message)
    length = request.leases.get(message.name, request.lease)
    began = message.started_at is not None
    holding = use_allowance(tables, message, now) if tables.limits else None
    tables.lend(message, Lease(request.request_id, request.worker, now + length, length, started, holding=holding))
    if started:
        message.started_at = now
    return _delivery(message, now, started=started, began=began)


def _delivery(message: Message, now: Micros, *, started: bool, began: bool, lost: Lease | None = None) -> Delivery:
    lease = message.lease
    assert lease is not None
    return Delivery(
        fence=Fence(message.id, message.fence, lease.nonce),
        body=message.body,
        name=message.name,
        queue=message.queue,
        attempt=message.attempt,
        max_retries=message.max_retries,
        generation=message.generation,
        deliveries=message.deliveries,
        crashes=message.crashes,
        lost=message.lost,
        lease=lease.length,
        published_at=message.published_at,
        expires_at=message.expires_at,
        expired=message.expires_at is not None and message.expires_at <= now and not began,
        ignore_result=not message.is_read,
        started=started,
        cancel_requested=message.cancel_requested,
        parks=message.parks,
        lost_by=None if lost is None else lost.worker,
        backoff=None if lost is None else lost.backoff,
        ack="late" if lost is None else lost.ack,
    )


def find_held(tables: Tables, fence: Fence) -> Message | None:
    """The message whose standing lease has this fence."""
    message = tables.leased.get(fence.task_id)
    if message is None or message.lease is None:
        return None
    return message if (message.fence, message.lease.nonce) == (fence.counter, fence.nonce) else None


def renew_lease(tables: Tables, renewal: Renewal, now: Micros) -> LeaseVerdict:
    """See `Keeper.renew`."""
    message = find_held(tables, renewal.fence)
    if message is None or message.lease is None:
        return LeaseVerdict.LOST
    message.lease.until, message.lease.length = now + renewal.lease, renewal.lease
    if message.terminate_requested:
        return LeaseVerdict.TERMINATE
    return LeaseVerdict.CANCEL if message.cancel_requested else LeaseVerdict.KEPT


def find_suspects(tables: Tables, now: Micros) -> tuple[Suspect, ...]:
    """See `Store.suspects`."""
    found: list[Suspect] = []
    for message in tables.leased.values():
        lease = message.lease
        assert lease is not None
        quiet = now - (lease.until - lease.length)
        if quiet >= lease.length // 3 + _GRACE or quiet < 0:
            fence = Fence(message.id, message.fence, lease.nonce)
            found.append(Suspect(fence, lease.until, lease.length, lease.until <= now))
    return tuple(found)


def take_lost(tables: Tables, request: TakeRequest, now: Micros) -> tuple[Delivery, ...]:
    """See `Store.take`."""
    again = _given_before(tables, request.request_id)
    if again:
        return again
    taken: list[Delivery] = []
    for suspect in request.suspects:
        message = find_held(tables, suspect.fence)
        if message is not None and message.lease is not None and message.lease.until == suspect.lease_until:
            taken.append(_rescue(tables, message, request, now))
    if taken:
        tables.answers[request.request_id] = Answer(tuple(taken), len(taken))
    return tuple(taken)


def _rescue(tables: Tables, message: Message, request: TakeRequest, now: Micros) -> Delivery:
    lost = message.lease
    assert lost is not None
    tables.let_go(message)
    message.crashes, message.lost, message.attempt = count_loss(
        started=lost.started, crashes=message.crashes, lost=message.lost, attempt=message.attempt
    )
    until = now + request.lease
    tables.lend(message, Lease(request.request_id, request.worker, until, request.lease, holding=lost.holding))
    began = message.started_at is not None
    return _delivery(message, now, started=lost.started, began=began, lost=lost)
