"""The rows of the memory engine's tables: what is kept of one message, group, lease and key."""

from __future__ import annotations

from dataclasses import dataclass, field

from stem.adapters.memory.sides import Allowance, Side
from stem.clock import Micros
from stem.contracts.changes import UniqueKey
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.store import Delivery
from stem.tasks.links import After, GroupPolicy, GroupState, Member
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress

__all__ = ["Answer", "Group", "Holder", "Lease", "Message", "SeenWorker"]


@dataclass(slots=True, eq=False)
class Lease:
    """Who holds a message, under which nonce, until when, and how far its attempt is."""

    nonce: str
    worker: str
    until: Micros
    length: Micros
    started: bool = False
    backoff: Backoff | None = None
    ack: Ack = "late"
    holding: Allowance | None = None
    """The concurrency that it is a holder of."""


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """One task: what its producer fixed, then what happened to it."""

    id: str
    name: str
    queue: str
    priority: int
    body: bytes
    max_retries: int
    result_ttl: Micros
    ignore_result: bool
    root: str
    parent: str | None
    tags: tuple[str, ...]
    unique: UniqueKey | None
    after: After | None
    member: Member | None
    expires: Micros | None
    sequence: int
    published_at: Micros
    state: TaskState
    delay: Micros
    """How long the present generation waits from when nothing holds it any more."""
    not_before: Micros | None
    rate_key: str | None
    concurrency_key: str | None
    expires_at: Micros | None = None
    due_at: Micros | None = None
    held: bool = False
    awaited: bool = False
    """Whether a continuation of it was ever published."""
    joined: bool = False
    """Whether its end has been counted by its group."""
    side: Side[Message] | None = None
    """The line that it stands in while its limits do not let it start."""
    ticket: int = 0
    """Tells the present place in line from entries of earlier places."""
    lease: Lease | None = None
    fence: int = 0
    consumed: tuple[int, str, int] | None = None
    """Counter, nonce and change number of the last lease that was consumed."""
    attempt: int = 0
    generation: int = 0
    deliveries: int = 0
    crashes: int = 0
    lost: int = 0
    parks: int = 0
    refused_by: dict[str, Micros] | None = None
    """Fingerprints that cannot run it, and until when each is passed over."""
    parked_reason: str | None = None
    bury_reason: str | None = None
    cancel_requested: bool = False
    terminate_requested: bool = False
    started_at: Micros | None = None
    finished_at: Micros | None = None
    result_until: Micros | None = None
    keep_until: Micros | None = None
    worker: str | None = None
    error: Failure | None = None
    result: bytes | None = None
    progress: Progress | None = None
    reported: int | None = None
    """The sequence of the latest report under the present lease."""

    @property
    def place(self) -> int | None:
        """Its place in its group, where it has one."""
        return None if self.member is None else self.member.index

    @property
    def is_read(self) -> bool:
        """Whether somebody will read its result: who enqueued it, a continuation, or its group."""
        return not self.ignore_result or self.awaited or self.place is not None


@dataclass(slots=True, eq=False, kw_only=True)
class Group:
    """One group, its members and its count."""

    id: str
    size: int
    policy: GroupPolicy
    root: str
    result_ttl: Micros
    opened_at: Micros
    state: GroupState = GroupState.OPEN
    closed_at: Micros | None = None
    members: dict[str, Message] = field(default_factory=dict[str, Message])
    """By id, those without a place included."""
    places: dict[int, str] = field(default_factory=dict[int, str])
    joined: int = 0
    succeeded: int = 0


@dataclass(slots=True)
class Answer:
    """What a request was given, to give it again; `held` counts the leases of it that stand."""

    deliveries: tuple[Delivery, ...]
    held: int


@dataclass(slots=True)
class Holder:
    """Which task has a unique key; `until` where a lifetime was given."""

    task_id: str
    until: Micros | None


@dataclass(slots=True)
class SeenWorker:
    """A worker's last sign of life."""

    heartbeat: Heartbeat
    first_seen: Micros
    last_seen: Micros
