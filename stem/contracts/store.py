"""The heart of the contract: commit, lease, renew, rescue, wake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from stem.contracts.broadcasts import Broadcasts
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Change, Verdict
from stem.contracts.control import Control
from stem.contracts.groups import Groups
from stem.contracts.heartbeats import Heartbeats
from stem.contracts.leasing import (
    Delivery,
    Handed,
    LeaseAnswer,
    LeaseRequest,
    LeaseVerdict,
    Renewal,
    Suspect,
    TakeRequest,
)
from stem.contracts.limits import Limits
from stem.contracts.locks import Locks
from stem.contracts.outcomes import Outcomes
from stem.contracts.queries import Queries
from stem.contracts.schedules import Schedules

__all__ = [
    "Delivery",
    "Handed",
    "Keeper",
    "LeaseAnswer",
    "LeaseRequest",
    "LeaseVerdict",
    "Listener",
    "Notice",
    "Posted",
    "Posts",
    "Renewal",
    "Seeks",
    "Sought",
    "Store",
    "Subscription",
    "Suspect",
    "TakeRequest",
]

MAX_LEASE_BYTES = 8 * 1024 * 1024
MOST_CANCELLED = 200
"""How many members of groups that have their answer one lease call cancels on its way."""


class Notice(NamedTuple):
    """Something happened: messages became ready in `queues`, `tasks` became terminal or made progress, something was
    broadcast on `channels`.

    `everything` says that more happened than fits: look at all you wait for. `results` are those of some of the tasks,
    which succeeded: whoever waits for one of them need not ask. An engine may leave them out.
    """

    queues: frozenset[str] = frozenset()
    tasks: tuple[str, ...] = ()
    everything: bool = False
    channels: frozenset[str] = frozenset()
    results: Mapping[str, bytes] = MappingProxyType({})
    handed: Handed | None = None
    """What the request of one worker was given that listens here."""


Listener = Callable[[Notice], None]
"""Called from any thread after a commit; returns at once and raises nothing."""


class Subscription(Protocol):
    """An open ear."""

    def close(self) -> None:
        """No call comes after this returned, except one that is under way in another thread."""
        ...


class Keeper(Protocol):
    """Renews leases, blocking, over a connection of its own; used by one thread."""

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """One verdict per renewal, in order.

        Renewing a lease that is held extends it from the store's present time, in place: no copy of the message
        is made.
        A lease that was consumed or replaced is LOST. A held lease whose task was asked to end is CANCEL or TERMINATE.
        Raises `StoreUnavailable` when the engine cannot be reached; the next call connects again.
        """
        ...

    def close(self) -> None:
        """Give the connection back; may be called twice."""
        ...


Posted = Callable[[list[Verdict] | None], None]
"""Called once, on the loop, with the verdicts of what was posted; with `None` where it has to be committed again."""


@runtime_checkable
class Posts(Protocol):
    """What a store may do besides, so that a lone change costs neither a task nor turns of the loop."""

    def post(self, changes: Sequence[Change], told: Posted, /) -> bool:
        """Send up to 500 changes now, to be applied as `Store.commit` does; False when only `commit` can, and then
        nobody is told."""
        ...


Sought = Callable[[LeaseAnswer | None], None]
"""Called once, on the loop, with what a request brought; with `None` where it has to be leased for again."""


@runtime_checkable
class Seeks(Protocol):
    """What a store may do besides, so that a worker's call costs neither a task nor turns of the loop."""

    def seek(self, request: LeaseRequest, told: Sought, /) -> bool:
        """Send the request now, to be answered as `Store.lease` does; False when only `lease` can, and then nobody is
        told."""
        ...


class Store(Queries, Heartbeats, Groups, Control, Broadcasts, Locks, Schedules, Outcomes, Limits, Protocol):
    """One engine's storage. Every method may be called again after it raised `StoreUnavailable`."""

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""
        ...

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        """Apply each change whole or not at all; one verdict per change, in order.

        A batch means the same as its changes one by one, and one change never affects its neighbours.
        When this returns, every applied change is as durable as the engine is configured to be, and is visible to all.
        Sent twice is applied once: a publish by its id, a consuming change by its fence and number, a report by its
        sequence. A fenced change whose lease was consumed or replaced is `Fenced`. A lease is valid until then:
        the clock alone never fences. Raises `StoreUnavailable` when the outcome is unknown.
        """
        ...

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Up to `limit` due messages, at most 8 MiB of envelopes, each leased to this worker under a new fence.

        The same request id answers the same deliveries while they are held. Within a queue the order is: priority
        descending, due time, order of publication. Over several queues the weights hold by smooth round-robin over
        those that have work; what one cannot fill, any other fills; how the queues mix in one answer, and so which
        of them has what is marked as started, is the engine's choice. No message is leased twice at once. A message
        parked for the request's fingerprint is passed over until its time. Paused queues are passed over, also in
        `next_due`.
        Members of a group that has its answer are not leased: the call cancels those it comes upon, and others if it
        likes, at most `MOST_CANCELLED`.
        """
        ...

    async def suspects(self) -> tuple[Suspect, ...]:
        """Leases not renewed for a third of their length and one second, and those that end later than they can."""
        ...

    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        """Take over lost deliveries under a new fence; one whose fence or expiry has changed is left out.

        A loss after the start counts as a crash and uses an attempt; before it as lost, and from the fifth on as
        a crash too. The same request id answers the same deliveries.
        """
        ...

    def keeper(self) -> Keeper:
        """A blocking renewer with a connection of its own, which it opens at its first use."""
        ...

    def listen(self, listener: Listener) -> Subscription:
        """Hear of changes made by this process at once, of other processes' soon.

        A notice may be lost or come twice: whoever waits also looks now and then.
        """
        ...

    async def retain(self, limit: int) -> int:
        """Delete up to `limit` ended tasks whose time of retention is over; how many were deleted.

        Never a live one, none within 60 s of its end, and none whose result a live message still waits for, alone or as
        a member of a group. What else has had its time goes in the same bounded way, uncounted: groups, broadcasts,
        revocations. Outcomes are only found to be old: see `Outcomes.old_outcomes`. Groups not sealed in time are
        removed with their members, and live members of groups that have their answer are cancelled, up to `limit` of
        each.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; what was committed stays. May be called twice."""
        ...
