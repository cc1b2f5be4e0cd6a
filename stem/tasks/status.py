"""What can be told of a task: its status for users, and the full record that a store keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stem.clock import Micros, from_micros
from stem.tasks.links import After, Member
from stem.tasks.state import TaskState

__all__ = ["Failure", "Progress", "TaskRecord", "TaskStatus"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is recorded: the class name, the message and the traceback's text; `code` for Stem's own
    errors."""

    kind: str
    message: str
    traceback: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress report; `sequence` grows by one with each report of an attempt's worker."""

    sequence: int
    done: float
    total: float | None = None
    message: str | None = None
    data: str | None = None
    """JSON text of what the handler added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """Everything a store keeps of one task. Times are microseconds by the store's clock."""

    id: str
    name: str
    queue: str
    priority: int
    state: TaskState
    envelope: bytes
    published_at: Micros
    due_at: Micros | None
    expires_at: Micros | None
    """For a message with links only from when it is let go: one that was held to its end never had one."""
    started_at: Micros | None
    finished_at: Micros | None
    result_until: Micros | None
    """Until when the result can be read; set when the task becomes terminal."""
    attempt: int
    """Attempts used up before the present one; 0 for the first."""
    max_retries: int
    generation: int
    deliveries: int
    crashes: int
    lost: int
    fence: int
    lease_until: Micros | None
    worker: str | None
    cancel_requested: bool
    terminate_requested: bool
    parked_reason: str | None
    refused_by: tuple[str, ...]
    bury_reason: str | None
    error: Failure | None
    result: bytes | None
    ignore_result: bool
    progress: Progress | None
    root: str
    parent: str | None
    tags: tuple[str, ...]
    after: After | None = None
    member: Member | None = None
    held: bool = False
    """Whether it still waits for what it continues, or for the seal of its group."""
    rate_key: str | None = None
    concurrency_key: str | None = None
    limited: bool = False
    """Whether it stands aside because a rate or a concurrency of its task is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """A task's status at one moment. `attempt` is 0-based; times are aware UTC."""

    id: str
    name: str
    queue: str
    priority: int
    state: TaskState
    attempt: int
    max_retries: int
    crashes: int
    error: Failure | None
    reason: str | None
    """Why it is parked, or why it is in the dead letters."""
    progress: Progress | None
    worker: str | None
    cancel_requested: bool
    root: str
    parent: str | None
    tags: tuple[str, ...]
    published_at: datetime
    due_at: datetime | None
    expires_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, record: TaskRecord) -> TaskStatus:
        """The status that a record tells."""
        return cls(
            id=record.id,
            name=record.name,
            queue=record.queue,
            priority=record.priority,
            state=record.state,
            attempt=record.attempt,
            max_retries=record.max_retries,
            crashes=record.crashes,
            error=record.error,
            reason=record.bury_reason or record.parked_reason,
            progress=record.progress,
            worker=record.worker,
            cancel_requested=record.cancel_requested,
            root=record.root,
            parent=record.parent,
            tags=record.tags,
            published_at=from_micros(record.published_at),
            due_at=_time(record.due_at),
            expires_at=_time(record.expires_at),
            started_at=_time(record.started_at),
            finished_at=_time(record.finished_at),
        )


def _time(instant: Micros | None) -> datetime | None:
    return None if instant is None else from_micros(instant)
