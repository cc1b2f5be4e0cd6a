"""What the memory engine holds: messages, groups, leases, keys, and where each can be found quickly."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from stem.adapters.memory.rows import Answer, Group, Holder, Lease, Message, SeenWorker
from stem.adapters.memory.sides import Allowance, Gate, Side, Sides
from stem.adapters.memory.waiting import Waiting
from stem.clock import Micros
from stem.contracts.broadcasts import Broadcast
from stem.contracts.control import Pause, Revocation
from stem.contracts.limits import TaskLimit
from stem.contracts.locks import Lock
from stem.contracts.outcomes import Outcome
from stem.contracts.schedules import ScheduleRecord
from stem.tasks.links import After
from stem.tasks.state import TaskState

__all__ = ["Tables"]


@dataclass(slots=True, eq=False)
class Tables:
    """All data of one store. The store's lock is held by whoever touches it."""

    tasks: dict[str, Message] = field(default_factory=dict[str, Message])
    """In the order of publication."""
    states: dict[str, Counter[TaskState]] = field(default_factory=dict[str, Counter[TaskState]])
    """By queue, how many tasks are in each state."""
    names: Counter[str] = field(default_factory=Counter[str])
    queues: dict[str, Waiting[Message]] = field(default_factory=dict[str, Waiting[Message]])
    leased: dict[str, Message] = field(default_factory=dict[str, Message])
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    keys: dict[str, Holder] = field(default_factory=dict[str, Holder])
    key_ends: list[tuple[Micros, str]] = field(default_factory=list[tuple[Micros, str]])
    ended: list[tuple[Micros, int, Message]] = field(default_factory=list[tuple[Micros, int, Message]])
    pinned: dict[str, Message] = field(default_factory=dict[str, Message])
    """Ended tasks whose time of retention was over while somebody still needed them."""
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    closing: dict[str, Group] = field(default_factory=dict[str, Group])
    """Groups that have their answer and may have live members."""
    waiters: dict[After, dict[str, Message]] = field(default_factory=dict[After, dict[str, Message]])
    """The live continuations of each task and group, held or not."""
    workers: dict[str, SeenWorker] = field(default_factory=dict[str, SeenWorker])
    owed: dict[str, int] = field(default_factory=dict[str, int])
    """The credits of the round-robin over queues."""
    pauses: dict[str, Pause] = field(default_factory=dict[str, Pause])
    revocations: dict[str, Revocation] = field(default_factory=dict[str, Revocation])
    broadcasts: dict[str, tuple[Broadcast, Micros]] = field(default_factory=dict[str, tuple[Broadcast, Micros]])
    """By id, in the order of their positions, each with the time at which it is forgotten."""
    locks: dict[str, Lock] = field(default_factory=dict[str, Lock])
    schedules: dict[str, ScheduleRecord] = field(default_factory=dict[str, ScheduleRecord])
    outcomes: dict[str, dict[int, Outcome]] = field(default_factory=dict[str, dict[int, Outcome]])
    outcome_ends: list[tuple[Micros, str, int]] = field(default_factory=list[tuple[Micros, str, int]])
    limits: dict[str, TaskLimit] = field(default_factory=dict[str, TaskLimit])
    ahead: dict[Allowance, Micros] = field(default_factory=dict[Allowance, Micros])
    """By bucket, the time up to which its rate has given out starts."""
    holders: dict[Allowance, int] = field(default_factory=dict[Allowance, int])
    sides: Sides[Message] = field(default_factory=Sides[Message])
    sequence: int = 0

    def next_number(self) -> int:
        """Grows with each call."""
        self.sequence += 1
        return self.sequence

    def add(self, message: Message) -> None:
        """Take a new message in."""
        self.tasks[message.id] = message
        self.names[message.name] += 1
        self.states.setdefault(message.queue, Counter())[message.state] += 1

    def move(self, message: Message, state: TaskState) -> None:
        """Note a message's new state."""
        counts = self.states[message.queue]
        counts[message.state] -= 1
        counts[state] += 1
        message.state = state

    def remove(self, message: Message) -> None:
        """Forget a message."""
        del self.tasks[message.id]
        self.states[message.queue][message.state] -= 1
        self.names[message.name] -= 1

    def forget_waiter(self, after: After, message: Message) -> None:
        """A continuation has ended or gone."""
        waiters = self.waiters.get(after, {})
        waiters.pop(message.id, None)
        if not waiters:
            self.waiters.pop(after, None)

    def wait(self, message: Message, due: Micros, now: Micros) -> None:
        """Put a message in line, due at `due`."""
        message.due_at = due
        queue = self.queues.get(message.queue)
        if queue is None:
            queue = self.queues[message.queue] = Waiting()
        queue.put(message, now)

    def leave_line(self, message: Message) -> None:
        """Take a message out of its line, if it stands in one, and let it be held no more."""
        message.held = False
        self._leave_side(message)
        if message.due_at is not None:
            message.due_at = None
            self.queues[message.queue].withdraw(message)

    def step_aside(self, message: Message, gate: Gate) -> Side[Message]:
        """Let a message that is in line, and due, wait before this gate; the line that it stands in."""
        self.queues[message.queue].step_aside(message)
        message.side = self.sides.put(message, message.queue, gate)
        return message.side

    def step_back(self, message: Message, now: Micros) -> None:
        """Let a message that stands aside have its place in its queue's line again."""
        self._leave_side(message)
        self.queues[message.queue].step_back(message, now)

    def _leave_side(self, message: Message) -> None:
        if message.side is not None:
            self.sides.leave(message.side)
            message.side = None

    def lend(self, message: Message, lease: Lease) -> None:
        """Give the message to a worker under a new fence."""
        message.fence += 1
        message.deliveries += 1
        message.lease = lease
        message.reported = None
        message.worker = lease.worker
        message.parked_reason = None
        self.move(message, TaskState.RUNNING)
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
