"""The vocabulary of writes. Everything that happens to a task is one `Change`, applied whole or not at all.

What is made for each task is a named tuple: a frozen dataclass costs three times as much to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from stem.clock import Micros
from stem.contracts.unfenced import Cancel, Discard, FireSchedule, OpenGroup, Replay, SealGroup
from stem.contracts.verdicts import APPLIED, FENCED, Applied, Duplicate, Fenced, RefusalCode, Refused, Verdict
from stem.tasks.envelope import Envelope
from stem.tasks.links import After, Member
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
