"""Records of the engine as documents (for JSON) and as rows (for tables). Pure: what comes in decides what goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from stem.clock import Micros, from_micros
from stem.contracts.control import Pause
from stem.contracts.heartbeats import RunningTask, WorkerRecord
from stem.contracts.queries import QueueCount
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress, TaskStatus

__all__ = [
    "DEAD_COLUMNS",
    "JOB_COLUMNS",
    "QUEUE_COLUMNS",
    "age_of",
    "dead_row",
    "document_of",
    "iso",
    "job_row",
    "listed_row",
    "queue_row",
    "readable",
    "told_rows",
    "worker_row",
]

JOB_COLUMNS: Final = ("id", "name", "queue", "state", "attempt", "age", "note")
DEAD_COLUMNS: Final = ("id", "name", "queue", "reason", "error", "attempts", "buried")
QUEUE_COLUMNS: Final = ("queue", *(state.value for state in TaskState), "latency", "paused")

_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def document_of(status: TaskStatus) -> dict[str, object]:
    """Everything a status tells, as JSON has it: times in ISO 8601 with their zone, absent things as null."""
    return {
        "id": status.id,
        "name": status.name,
        "queue": status.queue,
        "state": status.state.value,
        "priority": status.priority,
        "attempt": status.attempt,
        "max_retries": status.max_retries,
        "crashes": status.crashes,
        "reason": status.reason,
        "error": _failure(status.error),
        "progress": _progress(status.progress),
        "worker": status.worker,
        "cancel_requested": status.cancel_requested,
        "root": status.root,
        "parent": status.parent,
        "tags": list(status.tags),
        "published_at": iso(status.published_at),
        "due_at": iso(status.due_at),
        "expires_at": iso(status.expires_at),
        "started_at": iso(status.started_at),
        "finished_at": iso(status.finished_at),
    }


def readable(document: Mapping[str, object], status: TaskStatus) -> dict[str, object]:
    """The document for people: the error and the progress in words, the traceback as its lines, at the end."""
    error = status.error
    words = None if error is None else f"{error.kind}: {error.message}" + (f" [{error.code}]" if error.code else "")
    progress = None if status.progress is None else _progress_words(status.progress)
    traceback = None if error is None else error.traceback
    return {**document, "error": words, "progress": progress, "traceback": traceback}


def _failure(error: Failure | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"kind": error.kind, "message": error.message, "code": error.code, "traceback": error.traceback}


def _progress(progress: Progress | None) -> dict[str, object] | None:
    if progress is None:
        return None
    data = None if progress.data is None else json.loads(progress.data)
    return {"done": progress.done, "total": progress.total, "message": progress.message, "data": data}


def job_row(status: TaskStatus, now: datetime) -> dict[str, object]:
    """One line of `jobs ls`: the note is the error's first line, the reason, or the progress."""
    return {
        "id": status.id,
        "name": status.name,
        "queue": status.queue,
        "state": status.state.value,
        "attempt": f"{status.attempt + 1}/{status.max_retries + 1}",
        "age": age_of(now - status.published_at),
        "note": _note(status),
    }


def _note(status: TaskStatus) -> str:
    if status.error is not None:
        return _headline(status.error)
    if status.progress is not None:
        return _progress_words(status.progress)
    return status.reason or ""


def _progress_words(progress: Progress) -> str:
    total = "" if progress.total is None else f"/{progress.total:g}"
    return f"{progress.done:g}{total} {progress.message or ''}".strip()


def _headline(error: Failure) -> str:
    """The error in one line of at most 100 characters."""
    first = error.message.splitlines()[0] if error.message else ""
    text = f"{error.kind}: {first}" if first else error.kind
    return text if len(text) <= 100 else f"{text[:99]}…"


def dead_row(status: TaskStatus, now: datetime) -> dict[str, object]:
    """One line of `dlq ls`."""
    return {
        "id": status.id,
        "name": status.name,
        "queue": status.queue,
        "reason": status.reason or "",
        "error": _headline(status.error) if status.error else "",
        "attempts": status.attempt,
        "buried": age_of(now - status.finished_at) if status.finished_at else "",
    }


def queue_row(queue: QueueCount, now: Micros, pause: Pause | None = None) -> dict[str, object]:
    """One line of `queues ls`: tasks by state, how long the oldest due one has waited, in seconds, and the pause."""
    latency = None if queue.oldest_due is None else round(max(0, now - queue.oldest_due) / 1_000_000, 3)
    counts = {state.value: queue.counts.get(state, 0) for state in TaskState}
    return {"queue": queue.queue, **counts, "latency": latency, "paused": _paused(pause)}


def _paused(pause: Pause | None) -> str | None:
    if pause is None:
        return None
    since = iso(from_micros(pause.since))
    return f"{since} ({pause.reason})" if pause.reason else since


def worker_row(worker: WorkerRecord, now: Micros) -> dict[str, object]:
    """One worker as `health` shows it."""
    beat = worker.heartbeat
    return {
        "worker": beat.worker,
        "host": beat.host,
        "pid": beat.pid,
        "queues": list(beat.queues),
        "busy": beat.running,
        "concurrency": beat.concurrency,
        "last_seen": iso(from_micros(worker.last_seen)),
        "silent": round(max(0, now - worker.last_seen) / 1_000_000, 3),
        "late": worker.late,
    }


def listed_row(worker: WorkerRecord, now: Micros) -> dict[str, object]:
    """One line of `workers ls`: what it had in its hands at its last sign of life, the longest first, included."""
    tasks = [_running(worker, task) for task in worker.heartbeat.tasks]
    return {**worker_row(worker, now), "longest": _longest(worker, now), "tasks": tasks}


def told_rows(worker: WorkerRecord) -> list[dict[str, object]]:
    """The lines of `workers inspect` for one that did not answer: what it last told, and when."""
    told = iso(from_micros(worker.last_seen))
    return [
        {
            "worker": worker.heartbeat.worker,
            **_running(worker, task),
            "seconds": round(task.ran / 1_000_000, 3),
            "told": told,
        }
        for task in worker.heartbeat.tasks
    ]


def _running(worker: WorkerRecord, task: RunningTask) -> dict[str, object]:
    since = iso(from_micros(worker.since(task)))
    return {"id": task.id, "name": task.name, "queue": task.queue, "attempt": task.attempt, "since": since}


def _longest(worker: WorkerRecord, now: Micros) -> str:
    tasks = worker.heartbeat.tasks
    if not tasks:
        return ""
    age = age_of(timedelta(microseconds=max(0, now - worker.since(tasks[0]))))
    return f"{tasks[0].name} {age}"


def age_of(duration: timedelta) -> str:
    """A duration in its largest whole unit: `45s`, `3m`, `2h`, `9d`; `now` for less than a second."""
    seconds = int(duration.total_seconds())
    return next((f"{seconds // size}{unit}" for size, unit in _STEPS if seconds >= size), "now")


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond where there are any; `None` stays."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
