"""What becomes of what cannot run here, and of an outcome that the store does not take: pure, as `decide`."""

from __future__ import annotations

from typing import Final

from stem.clock import Micros
from stem.contracts.changes import Bury, Change, Park, RefusalCode, Refused, Settle
from stem.contracts.store import Delivery
from stem.errors import Undecodable
from stem.tasks.status import Failure
from stem.worker.decide import Reason, Rules, one
from stem.worker.failures import failure_of

__all__ = [
    "decide_again",
    "decide_refused",
    "decide_undecodable",
    "decide_unknown",
    "decide_version",
    "park_pause",
    "refused_failure",
]

_FIRST_PARK: Final[Micros] = 300_000_000
_LONGEST_PARK: Final[Micros] = 3_600_000_000


def decide_unknown(delivery: Delivery, fingerprint: str) -> Change:
    """No handler has this name: parked for this registry, visible, given to any other."""
    return one(delivery, Park(Reason.UNKNOWN_TASK, fingerprint, park_pause(delivery.parks)))


def decide_version(delivery: Delivery, version: int, rules: Rules, *, fingerprint: str) -> Change | None:
    """A newer version waits for a newer worker; an older one that the handler does not accept ends. `None` fits."""
    if version == rules.version or version in rules.accepts:
        return None
    if version > rules.version:
        return one(delivery, Park(Reason.NEWER_VERSION, fingerprint, park_pause(delivery.parks)))
    error = Undecodable(
        expected=f"task '{delivery.name}' in version {rules.version} or one of {list(rules.accepts)}",
        found=f"version {version}",
        do="Let the handler take it with @task(accepts=...), then replay the dead letter.",
    )
    return one(delivery, Bury(Reason.VERSION, failure_of(error)))


def decide_undecodable(delivery: Delivery, error: Undecodable) -> Change:
    """What was stored is no envelope, or no arguments of this task; running it again would not help."""
    return one(delivery, Bury(Reason.UNDECODABLE, failure_of(error)))


def decide_again(delivery: Delivery, change: Change, refused: Refused) -> Change:
    """The store refused an outcome: what is too large goes without its result where that is ignored, else it fails."""
    if delivery.ignore_result and refused.code == RefusalCode.TOO_LARGE and _has_result(change):
        writes = (write._replace(result=None) if isinstance(write, Settle) else write for write in change.writes)
        return change._replace(writes=tuple(writes), number=2)
    return decide_refused(delivery, refused_failure(refused), number=2)


def decide_refused(delivery: Delivery, failure: Failure, *, number: int = 1) -> Change:
    """The result cannot be stored. `number` is 2 when the store refused a change of this lease before."""
    return Change((Bury(Reason.RESULT_REFUSED, failure),), delivery.fence, number)


def refused_failure(refused: Refused) -> Failure:
    """What a store's refusal means for the task."""
    text = f"the store refused the outcome: {refused.code} {refused.detail}".rstrip()
    return Failure(kind="ResultRefused", message=text, code="STEM-E047")


def park_pause(parks: int) -> Micros:
    """5 minutes the first time, doubling up to an hour."""
    return min(_FIRST_PARK << min(parks, 10), _LONGEST_PARK)


def _has_result(change: Change) -> bool:
    return any(isinstance(write, Settle) and write.result is not None for write in change.writes)
