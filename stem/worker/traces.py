"""What a worker that is gone has left behind, and what is recorded of a task that went with it too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from stem.clock import Micros, from_micros
from stem.contracts.heartbeats import WorkerRecord
from stem.contracts.store import Delivery
from stem.errors import WorkerLost
from stem.tasks.status import Failure, Progress
from stem.worker.failures import failure_of
from stem.worker.process.evidence import lines_text, progress_text
from stem.worker.restarts import exit_reason

__all__ = ["NO_TRACES", "Traces", "failure_of_loss", "traces_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What is known of the end of a worker; `None` is what nobody knows."""

    code: int | None = None
    """Its exit code, or the number of the signal below zero, where its supervisor told its successor."""
    seen_at: Micros | None = None
    """Its last sign of life, by the store's clock."""
    memory: int | None = None
    """In bytes, at its last sign of life."""
    progress: Progress | None = None
    """The last that the task reported."""
    last_lines: tuple[str, ...] = ()
    """What its process logged last, where its supervisor kept that."""


NO_TRACES: Final = Traces()


def traces_of(lost_by: str | None, workers: Sequence[WorkerRecord], progress: Progress | None) -> Traces:
    """What the signs of life of all workers tell of the one that lost a task.

    Its own is the last that it gave, unless its successor has the same name: that one tells what it found.
    """
    for heir in workers:
        dead = heir.heartbeat.replaces
        if dead is not None and dead.worker == lost_by:
            return Traces(
                code=dead.code,
                seen_at=dead.seen_at,
                memory=dead.memory or None,
                progress=progress,
                last_lines=dead.last_lines,
            )
    for gone in workers:
        if gone.heartbeat.worker == lost_by:
            return Traces(seen_at=gone.last_seen, memory=gone.heartbeat.memory or None, progress=progress)
    return Traces(progress=progress)


def failure_of_loss(delivery: Delivery, traces: Traces = NO_TRACES) -> Failure:
    """What is recorded of a task whose worker went with it too often."""
    by = f"worker {delivery.lost_by}" if delivery.lost_by else "its worker"
    found = [
        f"{by} gone" + ("" if traces.code is None else f", by {exit_reason(traces.code)}"),
        _last_sign(traces),
        "" if traces.progress is None else _last_progress(traces.progress),
        f"crashes {delivery.crashes}, lost {delivery.lost}, deliveries {delivery.deliveries}",
    ]
    failure = failure_of(
        WorkerLost(
            expected="the worker to end the attempt",
            found="; ".join(part for part in found if part),
            do="Look for what ends the process (memory, native code), then replay the dead letter.",
        )
    )
    return replace(failure, traceback=lines_text(traces.last_lines)) if traces.last_lines else failure


def _last_sign(traces: Traces) -> str:
    if traces.seen_at is None:
        return ""
    held = "" if traces.memory is None else f", with {traces.memory / 2**20:.0f} MiB of memory"
    return f"last sign of life {from_micros(traces.seen_at):%Y-%m-%d %H:%M:%S} UTC{held}"


def _last_progress(last: Progress) -> str:
    return progress_text(last.done, last.total, last.message)
