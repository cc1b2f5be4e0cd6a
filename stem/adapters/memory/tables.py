"""What the memory engine holds: messages, leases, keys, and where each can be found quickly."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from stem.adapters.memory.waiting import Waiting
from stem.clock import Micros
from stem.contracts.changes import UniqueKey
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.store import Delivery
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress

__all__ = ["Answer", "Holder", "Lease", "Message", "SeenWorker", "Tables"]


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
    sequence: int
    published_at: Micros
    expires_at: Micros | None
    state: TaskState
    accepted_at: Micros
    """From when the present generation's `expires` counts."""
    due_at: Micros | None = None
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


@dataclass(slots=True, eq=False)
class Tables:
    """All data of one store. The store's lock is held by whoever touches it."""

    tasks: dict[str, Message] = field(default_factory=dict[str, Message])
    """In the order of publication."""
    queues: dict[str, Waiting[Message]] = field(default_factory=dict[str, Waiting[Message]])
    leased: dict[str, Message] = field(default_factory=dict[str, Message])
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    keys: dict[str, Holder] = field(default_factory=dict[str, Holder])
    key_ends: list[tuple[Micros, str]] = field(default_factory=list[tuple[Micros, str]])
    ended: list[tuple[Micros, int, Message]] = field(default_factory=list[tuple[Micros, int, Message]])
    workers: dict[str, SeenWorker] = field(default_factory=dict[str, SeenWorker])
    owed: dict[str, int] = field(default_factory=dict[str, int])
    """The credits of the round-robin over queues."""
    sequence: int = 0

    def next_number(self) -> int:
        """Grows with each call."""
        self.sequence += 1
        return self.sequence

    def wait(self, message: Message, due: Micros, now: Micros) -> None:
        """Put a message in line, due at `due`."""
        message.due_at = due
        queue = self.queues.get(message.queue)
        if queue is None:
            queue = self.queues[message.queue] = Waiting()
        queue.put(message, now)

    def leave_line(self, message: Message) -> None:
        """Take a waiting message out of its line."""
        message.due_at = None
        self.queues[message.queue].withdraw(message)

    def hold(self, message: Message, lease: Lease) -> None:
        """Give the message to a worker under a new fence."""
        message.fence += 1
        message.deliveries += 1
        message.lease = lease
        message.reported = None
        message.worker = lease.worker
        message.parked_reason = None
        message.state = TaskState.RUNNING
        self.leased[message.id] = message

    def let_go(self, message: Message) -> None:
        """End the lease that stands on this message."""
        lease = message.lease
        assert lease is not None
        message.lease = None
        del self.leased[message.id]
        answer = self.answers.get(lease.nonce)
        if answer is not None:
            answer.held -= 1
            if answer.held <= 0:
                del self.answers[lease.nonce]

    def key_holder(self, key: str, now: Micros) -> str | None:
        """The id of the task that has a unique key now."""
        holder = self.keys.get(key)
        if holder is None or (holder.until is not None and holder.until <= now):
            return None
        return holder.task_id

    def take_key(self, message: Message, now: Micros) -> None:
        """Note that this message has its unique key from now on."""
        unique = message.unique
        if unique is None:
            return
        until = None if unique.lifetime is None else now + unique.lifetime
        self.keys[unique.key] = Holder(message.id, until)
        if until is not None:
            heapq.heappush(self.key_ends, (until, unique.key))

    def release_key(self, message: Message) -> None:
        """Give up the unique key of a message that has ended, unless the key has a lifetime of its own."""
        unique = message.unique
        if unique is None or unique.lifetime is not None:
            return
        holder = self.keys.get(unique.key)
        if holder is not None and holder.task_id == message.id:
            del self.keys[unique.key]
