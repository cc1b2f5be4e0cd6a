"""What is asked for and given when work is leased, renewed and taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from stem.clock import Micros
from stem.contracts.changes import Fence
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff

__all__ = [
    "Delivery",
    "Handed",
    "LeaseAnswer",
    "LeaseRequest",
    "LeaseVerdict",
    "Renewal",
    "Suspect",
    "TakeRequest",
]


class LeaseRequest(NamedTuple):
    """A worker asks for messages. `request_id` becomes the nonce of every lease it gets."""

    request_id: str
    worker: str
    fingerprint: str
    """Of the worker's registry: messages parked for it are passed over."""
    queues: Mapping[str, int]
    """Queue name to weight, 1 or more."""
    limit: int
    started: int = 0
    """The first so many are marked as started."""
    lease: Micros = 10_000_000
    leases: Mapping[str, Micros] = MappingProxyType({})
    """Lease lengths of tasks, by name, that differ from `lease`."""
    stands_as: str = ""
    """Where nothing was due, the request may stand under this id for what is published next: see `Handed`."""
    stood: tuple[str, ...] = ()
    """The queues for which its worker let a request stand under the id of this one. It stands no more."""


class Delivery(NamedTuple):
    """A leased message: the envelope byte for byte, and what the store knows beside it.

    One is made for each task; a frozen dataclass of so many fields costs four times as much to make.
    """

    fence: Fence
    body: bytes
    name: str
    queue: str
    attempt: int
    max_retries: int
    generation: int
    deliveries: int
    crashes: int
    lost: int
    lease: Micros
    published_at: Micros
    expires_at: Micros | None
    expired: bool
    """Whether `expires_at` had passed, by the store's clock, when it was leased, and no attempt had begun before that.

    What began in time and came back, because its worker stopped, is not expired.
    """
    ignore_result: bool
    """Whether nobody will read the result: neither who enqueued it, nor a group, nor a continuation."""
    started: bool
    """Whether this lease call marked it as started; for a rescued one: whether the lost attempt had started."""
    cancel_requested: bool
    parks: int
    lost_by: str | None = None
    """The worker that lost it; `None` for an ordinary lease."""
    backoff: Backoff | None = None
    """From the `Start` of the lost attempt, where it was recorded."""
    ack: Ack = "late"


@dataclass(frozen=True, slots=True)
class LeaseAnswer:
    """`next_due`: microseconds until the next message of these queues becomes due; `None` when none waits.

    Set only when fewer than asked for were leased.
    """

    deliveries: tuple[Delivery, ...]
    next_due: Micros | None = None
    stands: bool = False
    """Whether the request stands under its `stands_as`."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a request that stood was given by the call that published it: its lease is that of a call under `stands_as`.

    An engine may hand over what is published alone, is due at once, is tied to nothing and not counted by any limit,
    and finds nothing in its queue that could be given before it; or it may not, and then what comes is leased as ever.
    A request is given one message, once. It stands until its worker's next call, which is made under its id: so what
    was handed over and not heard of is found, as after an answer that was lost. Whoever leases no more ends what
    stands by a last call with a limit of 0.
    """

    stands_as: str
    since: Micros
    """How long, by the store's clock, the request had stood."""
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """Extend the lease of this fence to `lease` microseconds from now."""

    fence: Fence
    lease: Micros


class LeaseVerdict(Enum):
    """What a renewal found."""

    KEPT = "kept"
    LOST = "lost"
    CANCEL = "cancel"
    """Kept; a cancel was requested."""
    TERMINATE = "terminate"
    """Kept; a cancel was requested that is to stop the attempt."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A lease that was not renewed when it should have been. `expired` is by the store's clock."""

    fence: Fence
    lease_until: Micros
    lease: Micros
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRequest:
    """A sweeper takes over leases; each only if its fence and its expiry are still these."""

    request_id: str
    worker: str
    suspects: tuple[Suspect, ...]
    lease: Micros = 10_000_000
