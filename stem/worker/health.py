"""Whether a worker lives and consumes, judged from what it did last. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stem.clock import Micros

__all__ = ["QUIET", "WorkerHealth", "judge"]

QUIET: Final[Micros] = 15_000_000
"""So long a worker with free slots may go without an answer to a lease call; it asks every five seconds at least."""


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """`live`: nothing that it needs has failed. `ready`: it takes work, or proved that there is none, just now.

    `reasons` says why not, in words; empty where it is both.
    """

    live: bool
    ready: bool
    reasons: tuple[str, ...] = ()


def judge(*, quiet: Micros | None, full: bool, stopping: bool, failed: bool, limit: Micros = QUIET) -> WorkerHealth:
    """`quiet` is how long ago the store answered a lease call, `None` for never; a `full` worker has no reason to
    ask."""
    if failed:
        return WorkerHealth(live=False, ready=False, reasons=("a part of it failed; it stops",))
    if stopping:
        return WorkerHealth(live=True, ready=False, reasons=("it was asked to stop",))
    if full or (quiet is not None and quiet <= limit):
        return WorkerHealth(live=True, ready=True)
    since = "yet" if quiet is None else f"for {quiet / 1_000_000:.0f} s"
    return WorkerHealth(
        live=True, ready=False, reasons=(f"it has free slots, and the store gave it no answer {since}",)
    )
