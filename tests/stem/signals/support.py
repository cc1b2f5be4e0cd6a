"""Events as the tests of signals need them."""

from __future__ import annotations

from datetime import UTC, datetime

from stem.signals import TaskStartedEvent, TaskSucceededEvent, WorkerReadyEvent

__all__ = ["NOON", "ready", "started", "succeeded"]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def started(task: str = "billing.charge", *, task_id: str = "7", queue: str = "default") -> TaskStartedEvent:
    return TaskStartedEvent(at=NOON, task_id=task_id, task=task, queue=queue, worker="worker-1", attempt=0)


def succeeded(task_id: str = "7") -> TaskSucceededEvent:
    return TaskSucceededEvent(
        at=NOON, task_id=task_id, task="billing.charge", queue="default", worker="worker-1", attempt=0
    )


def ready(worker: str = "worker-1") -> WorkerReadyEvent:
    return WorkerReadyEvent(at=NOON, worker=worker, queues=("default",))
