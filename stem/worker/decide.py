"""What becomes of a delivery: pure functions from what is known to the one change that is committed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from stem.clock import Micros, to_micros
from stem.contracts.changes import (
    Bury,
    Change,
    Publish,
    Release,
    Reschedule,
    Settle,
    Write,
)
from stem.contracts.control import Revocation
from stem.contracts.store import Delivery
from stem.errors import WorkerLost
from stem.signals.middleware import GiveUp, Instead, RetryLater
from stem.tasks.context import RetryRequested
from stem.tasks.options import Ack
from stem.tasks.retry import DEFAULT_BACKOFF, Backoff, Retry, should_retry
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure
from stem.worker.failures import failure_of
from stem.worker.traces import failure_of_loss

__all__ = [
    "Fault",
    "Judged",
    "Reason",
    "Rules",
    "Stop",
    "decide_error",
    "decide_guard",
    "decide_revoked",
    "decide_stopped",
    "decide_success",
    "judge",
    "one",
]


_SUCCEEDED: Final = TaskEvent.SUCCEEDED


class Reason:
    """Why a task is in the dead letters, or parked. Stable text."""

    RETRIES_USED_UP: Final = "retries_used_up"
    NOT_RETRIED: Final = "not_retried"
    CRASHED: Final = "crashed"
    WORKER_LOST: Final = "worker_lost"
    VERSION: Final = "version"
    UNDECODABLE: Final = "undecodable"
    RESULT_REFUSED: Final = "result_refused"
    UNKNOWN_TASK: Final = "unknown task"
    NEWER_VERSION: Final = "newer version"


class Stop(Enum):
    """Why the worker ends an attempt that did not end by itself."""

    LOST = auto()
    """The lease is another worker's: nothing may be written."""
    SHUTDOWN = auto()
    """The worker stops: the message goes back and no attempt is used."""
    TERMINATE = auto()
    """Somebody cancelled the task and asked for the attempt to be stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the registry says of one task, as far as decisions need it."""

    version: int = 1
    accepts: tuple[int, ...] = ()
    retry: Retry = Retry()
    backoff: Backoff = DEFAULT_BACKOFF
    ack: Ack = "late"


def decide_success(delivery: Delivery, result: bytes, follow_ups: tuple[Publish, ...] = ()) -> Change:
    """Succeeded: the result, and what the handler asked to be published, in one change.

    A result that is ignored is sent, too: the store knows whether somebody has begun to wait for it since the lease.
    """
    return Change((Settle(_SUCCEEDED, result), *follow_ups), delivery.fence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What an error means for its task, judged where its class is known."""

    failure: Failure
    repeated: bool = True
    delay: Micros | None = None
    """Until the next attempt, where the handler asked for one."""
    reason: str | None = None
    """Why it goes to the dead letters whatever else holds."""
    crash: bool = False
    """The process that ran it is gone."""


class Judged(Exception):
    """An error that another process met and judged."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.failure.message)
        self.fault = fault


def judge(error: BaseException, retry: Retry) -> Fault:
    """What an error means under a policy."""
    if isinstance(error, Judged):
        return error.fault
    asked = error.delay if isinstance(error, RetryRequested) else None
    return Fault(
        failure=failure_of(error),
        repeated=_is_repeated(error, retry),
        delay=None if asked is None else to_micros(asked),
    )


def decide_error(
    delivery: Delivery,
    error: BaseException,
    retry: Retry,
    *,
    backoff: Backoff,
    random: float,
    cancelled: bool,
    once: bool = False,
    instead: Instead | None = None,
) -> Change:
    """The attempt failed: cancelled when that was asked for, else again after the backoff, else the dead letters.

    `instead` is what a middleware wants in place of what `retry` says; it adds no attempts.

    A cancellation that the handler made up itself, and `SystemExit`, count as any other error. `random` is in [0, 1).
    `once` says that the task must not run again if the process that ran it is gone.
    """
    fault = _judged_again(judge(error, retry), instead)
    if fault.reason is not None:
        return one(delivery, Bury(fault.reason, fault.failure))
    if cancelled:
        return one(delivery, Settle(TaskEvent.CANCELLED, error=fault.failure))
    if fault.crash and once:
        return one(delivery, Bury(Reason.WORKER_LOST, fault.failure))
    if not fault.repeated:
        return one(delivery, Bury(Reason.NOT_RETRIED, fault.failure))
    if delivery.attempt >= delivery.max_retries:
        return one(delivery, Bury(Reason.CRASHED if fault.crash else Reason.RETRIES_USED_UP, fault.failure))
    delay = backoff.delay(delivery.attempt, random) if fault.delay is None else max(0, fault.delay)
    return one(delivery, Reschedule(delay, fault.failure))


def _judged_again(fault: Fault, instead: Instead | None) -> Fault:
    """What a middleware makes of a fault."""
    match instead:
        case None:
            return fault
        case GiveUp():
            return replace(fault, repeated=False)
        case RetryLater(delay):
            return replace(fault, repeated=True, delay=None if delay is None else to_micros(delay))


def decide_guard(delivery: Delivery) -> Change | None:
    """What must not run, before anything of it is opened; `None` lets it run.

    A task that began once was started before its `expires`, so a retry does not expire.
    """
    if delivery.cancel_requested:
        return one(delivery, Settle(TaskEvent.CANCELLED))
    if delivery.expired and delivery.attempt == 0:
        return one(delivery, Settle(TaskEvent.EXPIRED))
    if delivery.attempt > delivery.max_retries:
        return one(
            delivery, Bury(Reason.CRASHED if delivery.crashes else Reason.RETRIES_USED_UP, failure_of_loss(delivery))
        )
    return None


def decide_revoked(delivery: Delivery, revocation: Revocation) -> Change:
    """Somebody said that this id is not to run: it is cancelled, whatever it waited for."""
    by = f" by {revocation.requested_by}" if revocation.requested_by else ""
    reason = f": {revocation.reason}" if revocation.reason else ""
    return one(delivery, Settle(TaskEvent.CANCELLED, error=Failure("Revoked", f"revoked{by}{reason}")))


def decide_stopped(delivery: Delivery, why: Stop, *, once: bool = False) -> Change | None:
    """The worker ended the attempt; `None` when the lease is lost and nothing may be written.

    `once`: its handler began, and may run at most once: so it does not go back.
    """
    match why:
        case Stop.LOST:
            return None
        case Stop.SHUTDOWN if once:
            return one(delivery, Bury(Reason.WORKER_LOST, _cut_short()))
        case Stop.SHUTDOWN:
            return one(delivery, Release())
        case Stop.TERMINATE:
            return one(delivery, Settle(TaskEvent.CANCELLED))


def one(delivery: Delivery, write: Write) -> Change:
    """The change that does this and nothing else, under the delivery's fence."""
    return Change((write,), delivery.fence)


def _is_repeated(error: BaseException, retry: Retry) -> bool:
    if isinstance(error, RetryRequested):
        return not isinstance(error, retry.give_up_on)
    return should_retry(error, retry)


def _cut_short() -> Failure:
    return failure_of(
        WorkerLost(
            expected="the attempt to end before its worker",
            found="a worker that stopped, and a task that may run at most once",
            do="Give the worker a longer drain; replay the dead letter if it may run again.",
        )
    )
