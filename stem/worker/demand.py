"""How many deliveries a worker asks for: what can start, and what ends while it asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stem.clock import Micros
from stem.contracts.limits import TaskLimit

__all__ = ["LATENCY", "Demand", "demand", "prefetch"]

MOST_AHEAD: Final = 4
"""For each slot so many deliveries may be ready: what is brief is run faster than an engine is asked for it."""
LATENCY: Final[Micros] = 50_000
"""How long it may take to ask; what runs for less is brief."""


def prefetch(ended: int, brief: int, *, during: Micros, concurrency: int) -> int:
    """How many to have ready: what ends within 50 ms at the rate of `ended` in `during`, at most one for each slot; and
    four, if that many end of those that were `brief`, so that many that end together are not taken for many that are
    short."""
    if during <= 0:
        return 0
    usual, most = ended * LATENCY // during, brief * LATENCY // during
    return max(min(concurrency, usual), min(MOST_AHEAD * concurrency, most))


def demand(*, free: int, waiting: int, ahead: int) -> int:
    """How many to ask for; 0 while slots are taken and at least half of what should be ready is."""
    wanted = max(0, free) + ahead - waiting
    if wanted <= 0 or (free <= 0 and waiting * 2 > ahead):
        return 0
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What every lease request of one worker has in common."""

    worker: str
    fingerprint: str
    queues: Mapping[str, int]
    private: str
    """The queue that no other worker serves."""
    lease: Micros
    leases: Mapping[str, Micros]
    mark_started: bool
    """Whether the lease call marks what can start now; not with tasks that run at most once."""
    limits: Sequence[TaskLimit] = ()
    """What is declared before the first lease."""
