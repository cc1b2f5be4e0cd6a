"""The vocabulary of writes. Everything that happens to a task is one `Change`, applied whole or not at all.

What is made for each task is a named tuple: a frozen dataclass costs three times as much to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from stem.clock import Micros
from stem.tasks.envelope import Envelope
from stem.tasks.links import After, GroupPolicy, Member
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure, Progress

__all__ = [
    "APPLIED",
    "CONSUMING",
    "FENCED",
    "Applied",
    "Bury",
    "Cancel",
    "Change",
    "Discard",
    "Duplicate",
    "Fence",
    "Fenced",
    "FireSchedule",
    "OpenGroup",
    "Park",
    "Publish",
    "RefusalCode",
    "Refused",
    "Release",
    "Replay",
    "Report",
    "Reschedule",
    "SealGroup",
    "Settle",
    "Start",
    "UniqueKey",
    "Verdict",
    "Write",
    "ending_of",
]


class Fence(NamedTuple):
    """Proof of a lease: the message's counter, one higher with each lease, and the nonce of the call that leased it."""

    task_id: str
    counter: int
    nonce: str


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A key that one task at a time may hold: until it is terminal, or for `lifetime` microseconds where that is
    given."""

    key: str
    lifetime: Micros | None = None


class Publish(NamedTuple):
    """A message becomes visible `delay` after the store accepts it, or at `not_before`; its state is queued.

    Idempotent by envelope id: an id that is known, in any state, is applied and changes nothing.

    A message with `after` or `member` is held: queued, due never, given to no worker, until what it waits for lets it
    go (the success of that task or group; the seal of the group). From then on it is due as if it had been published
    then: `delay` and `expires` count from there. When what it waits for ends otherwise, it is cancelled in the same
    change, with an error of kind `UpstreamFailed` that names it, and so is what waits for it in turn. What has ended
    before the publish counts at once. A task or group that is neither known nor published before in the same change
    is refused as unknown. The result of what a live message waits for is stored even with `ignore_result`.

    A group takes members until it is sealed, one in each place: a later one, one in a place that is taken, or one in a
    place that the group does not have, is refused.

    `rate_key` and `concurrency_key` are whose allowance it uses of the limits of its name, see `Limits`; they stay
    with it through every replay.
    """

    envelope: Envelope
    body: bytes
    delay: Micros = 0
    not_before: Micros | None = None
    unique: UniqueKey | None = None
    after: After | None = None
    member: Member | None = None
    rate_key: str | None = None
    concurrency_key: str | None = None


class Settle(NamedTuple):
    """The delivery is done: the lease is consumed, the state terminal, the result or the error recorded.

    `event` is one of succeeded, failed, cancelled, expired.
    """

    event: TaskEvent
    result: bytes | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The leased delivery has begun to run: from here on its loss is a crash, and a crash is an attempt.

    Carries what a rescuer that does not know the task needs: the handler's backoff and its `ack`.
    """

    backoff: Backoff
    ack: Ack = "late"


@dataclass(frozen=True, slots=True)
class Reschedule:
    """The same message comes back after `delay`, with one attempt more used; its state is retrying."""

    delay: Micros
    error: Failure


@dataclass(frozen=True, slots=True)
class Release:
    """The message goes back, due after `delay`; no attempt is used.

    Without a delay it loses no place: it is due since it was published, before what was published later.
    """

    delay: Micros = 0


@dataclass(frozen=True, slots=True)
class Bury:
    """To the dead letters: the state is failed, the reason and the evidence are kept."""

    reason: str
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Park:
    """Not given to the registry with this fingerprint for `pause`; no attempt is used; the state is parked.

    It has not begun, whatever its lease call marked. For other registries it is due since it was parked, and for this
    one, too, when the pause is over.
    """

    reason: str
    fingerprint: str
    pause: Micros


@dataclass(frozen=True, slots=True)
class Report:
    """Progress of a running task. A report with a sequence not above the one recorded under this lease is applied and
    changes nothing.
    """

    progress: Progress


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


Write: TypeAlias = (
    Publish
    | Settle
    | Start
    | Reschedule
    | Release
    | Bury
    | Park
    | Report
    | Cancel
    | Replay
    | Discard
    | OpenGroup
    | SealGroup
    | FireSchedule
)

CONSUMING: Final = (Settle, Reschedule, Release, Bury, Park)
"""The fenced writes that end a lease. A change holds at most one of them."""


class Change(NamedTuple):
    """Writes that are applied together, under `fence` where they concern a leased message.

    `number` tells the consuming changes of one lease apart: the same fence and number again is `Applied`, the
    same fence with another number is `Fenced`. The writes take effect in their order: the end of a task frees its
    unique key for a follow-up after it. Only a change that is a single `Publish` answers `Duplicate`; in any other, a
    taken key makes the new task cancelled, with an error of kind `DuplicateTask`, and the rest is applied. A task may
    be cancelled, replayed or discarded once in a change, and a change fires at most one schedule.
    """

    writes: tuple[Write, ...]
    fence: Fence | None = None
    number: int = 1


def ending_of(change: Change) -> Write:
    """The write that ends its lease, wherever it stands; the first one where none does."""
    first = change.writes[0]
    if isinstance(first, CONSUMING):
        return first
    return next((write for write in change.writes if isinstance(write, CONSUMING)), first)


class RefusalCode:
    """Why a store refuses a change. Stable text."""

    UNKNOWN_ID: Final = "unknown_id"
    INVALID_TRANSITION: Final = "invalid_transition"
    DUPLICATE: Final = "duplicate"
    TOO_LARGE: Final = "too_large"
    REJECTED: Final = "rejected"
    HELD_UP: Final = "held_up"
    """Somebody's open transaction has the unique key; nobody knows yet whether it is taken. To be sent again."""


@dataclass(frozen=True, slots=True)
class Applied:
    """All writes of the change are durable, now or by an earlier sending of the same change."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The lease is no longer ours; nothing of the change was written."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The unique key is taken; nothing was written; `holder` is the id of the task that has it."""

    holder: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine cannot take this change; nothing of it was written, and its neighbours are not affected."""

    code: str
    detail: str = ""


Verdict: TypeAlias = Applied | Fenced | Duplicate | Refused

APPLIED: Final = Applied()
FENCED: Final = Fenced()
