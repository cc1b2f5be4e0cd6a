"""Leasing and rescuing: what a worker gets, under which fence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import hiredis

from stem.adapters.redis.changes import dump
from stem.adapters.redis.connection import Kind, Server
from stem.adapters.redis.driver import Value
from stem.adapters.redis.records import deliveries_of
from stem.codec import dump_json
from stem.contracts.changes import Fence
from stem.contracts.fairness import Credits
from stem.contracts.store import Delivery, Handed, LeaseAnswer, LeaseRequest, Notice, Suspect, TakeRequest

__all__ = ["Credits", "Leased", "find_suspects", "lease_messages", "read_handed", "send_lease", "take_messages"]

_HIREDIS: Final[Any] = hiredis  # typed by halves
Leased: TypeAlias = tuple[LeaseAnswer, Credits, Notice]
"""What a call brought, the credits of the queues after it, and what others should hear of."""
_MOST: Final = 1_000
"""Messages of one call, whatever its limit."""


async def lease_messages(server: Server, origin: str, request: LeaseRequest, owed: Credits) -> Leased:
    """Lease what is due."""
    return _leased(request, owed, await server.run("lease", *_words(server, origin, request, owed), kind=Kind.LEASES))


def send_lease(
    server: Server, origin: str, request: LeaseRequest, owed: Credits, told: Callable[[Leased | None], None]
) -> bool:
    """The same without waiting, over an open connection. `told` is given `None` where `lease_messages` has to be asked
    again; False says that nothing was sent and nobody will be told."""

    def hear(answer: Any) -> None:
        told(None if isinstance(answer, BaseException) else _leased(request, owed, answer))

    return server.send("lease", *_words(server, origin, request, owed), kind=Kind.LEASES, told=hear)


def _words(server: Server, origin: str, request: LeaseRequest, owed: Credits) -> tuple[Value, ...]:
    names = sorted(request.queues)
    queues = [[name, request.queues[name], owed.get(name, 0)] for name in names]
    asked: dict[str, Any] = {
        "id": request.request_id,
        "worker": request.worker,
        "fingerprint": request.fingerprint,
        "queues": queues,
        "wanted": request.limit,
        "limit": min(request.limit, _MOST),
        "started": request.started,
        "lease": request.lease,
        "leases": dict(request.leases),
        "stands": request.stands_as,
        "stood": list(request.stood),
        "ear": server.ear(origin),
    }
    return server.channel, origin, dump_json(asked)


def _leased(request: LeaseRequest, owed: Credits, answer: Any) -> Leased:
    now, due, balance, news, stands, *values = answer
    if balance:
        after: list[float] = json.loads(balance)
        owed = {**owed, **{name: int(credit) for name, credit in zip(sorted(request.queues), after, strict=True)}}
    return LeaseAnswer(deliveries_of(values, now), None if due < 0 else due, stands == 1), owed, _notice(news)


def read_handed(data: bytes) -> Handed:
    """What a request that stood was given, of the message that tells so: it is written as an answer is."""
    reader = _HIREDIS.Reader()
    reader.feed(data)
    stands_as, since, now, *values = reader.gets()
    return Handed(stands_as.decode(), since, deliveries_of(values, now))


def _notice(news: bytes) -> Notice:
    queues, tasks = json.loads(news) if news else ((), ())
    return Notice(frozenset(queues), tuple(tasks))


async def find_suspects(server: Server) -> tuple[Suspect, ...]:
    """Leases that were not renewed in time, and those that end later than they can."""
    values = await server.run("suspects")
    found: list[Suspect] = []
    for at in range(0, len(values), 6):
        task, counter, nonce, until, lease, expired = values[at : at + 6]
        found.append(Suspect(Fence(task.decode(), counter, nonce.decode()), until, lease, bool(expired)))
    return tuple(found)


async def take_messages(server: Server, request: TakeRequest) -> tuple[Delivery, ...]:
    """Take over those whose fence and expiry are still what the sweeper saw."""
    suspects = [[s.fence.task_id, s.fence.counter, s.fence.nonce, s.lease_until] for s in request.suspects[:_MOST]]
    asked = {"id": request.request_id, "worker": request.worker, "lease": request.lease, "suspects": suspects}
    now, *values = await server.run("take", dump(asked), kind=Kind.LEASES)
    return deliveries_of(values, now)
