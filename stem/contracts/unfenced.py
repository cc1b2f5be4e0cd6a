"""The writes that need no lease: what operators, producers and schedulers do to tasks, groups and schedules."""

from __future__ import annotations

from dataclasses import dataclass

from stem.clock import Micros
from stem.tasks.links import GroupPolicy

__all__ = ["Cancel", "Discard", "FireSchedule", "OpenGroup", "Replay", "SealGroup"]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Unfenced: ends what waits, flags what runs (`terminate` asks to stop the attempt too), leaves what has ended."""

    task_id: str
    terminate: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """Unfenced: a failed, cancelled or expired task is queued again as its next generation, all counters at zero.

    Its `expires` counts from the replay, it takes its unique key again, and its fence goes on growing. `generation` is
    the one that its sender saw end: where a later one is there already, the replay is applied and changes nothing, so
    that it may be sent again. Without it, whatever generation has ended is replayed. It is due after `delay`.

    A replayed continuation waits again for what it waited for; where that has ended without success the replay is
    refused: that one is to be replayed first, by a change before or earlier in the same one. Where it is no longer
    known, the replay is refused as unknown. A group that the task has joined is not joined again.
    """

    task_id: str
    generation: int | None = None
    delay: Micros = 0


@dataclass(frozen=True, slots=True)
class Discard:
    """Unfenced: a dead letter is given up: its `bury_reason` goes, its error stays.

    The task stays failed, and its record is kept, from now on, as long as any failed one's. A task that is not among
    the dead letters, or whose generation is a later one than `generation`, is left as it is; an unknown one is refused.
    """

    task_id: str
    generation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """A group of `size` members begins to be filled; idempotent by id.

    Its members are published with `Member`, in this change and in later ones; none is given to a worker before the
    `SealGroup`. A group not sealed within an hour is removed with its members. A group's record is kept like that of a
    task with this `result_ttl`, from its answer on, and as long as a continuation of it lives, or a member that was not
    replayed.

    An id is for one group: what is opened again under the id of one that is forgotten may find members that are left
    of that.
    """

    group: str
    size: int
    policy: GroupPolicy = "all"
    root: str = ""
    result_ttl: Micros = 86_400_000_000


@dataclass(frozen=True, slots=True)
class SealGroup:
    """All members are there: they become due, and from now on the policy decides. Sealed again, nothing changes.

    Refused while a place is empty. A group without members has its answer at once: met for `all` and `settled`, not
    for `any`.

    A member that ends, in whatever way, joins its group in the same change, once per place. The join that decides
    closes the group and lets its continuations go, or cancels them, in that same change. What is live of the other
    members then is cancelled by later lease calls and `retain` calls, a bounded number by each, with an error of kind
    `GroupClosed`; those that run are asked to end by `retain`. A member that was replayed runs all the same.
    """

    group: str


@dataclass(frozen=True, slots=True)
class FireSchedule:
    """Compare-and-set of a schedule's next time: from `expected` to `next`; `None` for never again.

    A change with it, and with what it publishes, is `Fenced` when the schedule is disabled or its next time is another,
    unless its last time is `expected`: then it was applied before, and is `Applied` without writing anything again. An
    unknown schedule is refused.
    """

    schedule: str
    expected: Micros
    next: Micros | None
