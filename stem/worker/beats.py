"""What a worker says of itself in a sign of life."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from stem.clock import Micros, to_micros
from stem.contracts.heartbeats import Heartbeat, RunningTask, longest
from stem.worker.held import Held
from stem.worker.settings import WorkerSettings

__all__ = ["sign_of_life"]


def sign_of_life(
    settings: WorkerSettings, fingerprint: str, *, concurrency: int, attempts: Sequence[Held], now: Micros
) -> Heartbeat:
    """The sign of life of this moment; `now` is by the worker's own clock, as the times of the attempts are."""
    return Heartbeat(
        worker=settings.name,
        host=socket.gethostname(),
        pid=os.getpid(),
        fingerprint=fingerprint,
        queues=tuple(settings.queues),
        concurrency=concurrency,
        running=len(attempts),
        every=to_micros(settings.beat_every),
        tasks=longest(_running(held, now) for held in attempts),
    )


def _running(held: Held, now: Micros) -> RunningTask:
    delivery = held.delivery
    ran = max(0, now - held.asked_at)
    return RunningTask(held.fence.task_id, delivery.name, delivery.queue, delivery.attempt, ran)
