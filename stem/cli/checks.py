"""What `stem doctor` looks at. Each check is a pure function of what was found; `doctor.py` finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from stem.clock import Micros
from stem.contracts.heartbeats import WorkerRecord
from stem.contracts.queries import QueueCount
from stem.tasks.state import LIVE, TaskState

__all__ = [
    "EXTRAS",
    "Finding",
    "Level",
    "clock_check",
    "disk_check",
    "extras_check",
    "name_check",
    "queue_checks",
    "sqlite_check",
    "worker_checks",
]

SQLITE_FLOOR: Final = (3, 37, 0)
EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "build": ("libcst", "jinja2"),
    "redis": ("redis",),
    "postgres": ("asyncpg",),
    "uvloop": ("uvloop",),
    "yaml": ("yaml",),
    "dev": ("watchfiles",),
    "crypto": ("cryptography",),
    "otel": ("opentelemetry",),
}
_SKEW: Final = timedelta(seconds=5)
_LOW_DISK: Final = 100 * 1024 * 1024


class Level(Enum):
    """How bad it is: only `FAIL` makes the command end in 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `do` is empty where there is nothing to do."""

    level: Level
    check: str
    found: str
    do: str = ""


def name_check(distributions: Iterable[str]) -> Finding:
    """Another project's distribution `stem` writes the same import package."""
    if "stem" in distributions:
        do = "Keep the two in different environments: pip uninstall stem, then reinstall stem-jobs."
        return Finding(Level.FAIL, "packages", "the distribution 'stem' is installed beside stem-jobs", do)
    return Finding(Level.OK, "packages", "no other distribution brings a package named stem")


def extras_check(importable: Mapping[str, bool]) -> Finding:
    """Which extras are complete; an extra that is not there is no fault."""
    present = [extra for extra, modules in EXTRAS.items() if all(importable.get(name, False) for name in modules)]
    return Finding(Level.OK, "extras", ", ".join(present) or "none")


def sqlite_check(version: tuple[int, ...]) -> Finding:
    """The SQLite library that this Python is linked with."""
    shown = ".".join(map(str, version))
    if version < SQLITE_FLOOR:
        return Finding(
            Level.FAIL, "sqlite", f"version {shown}", "Use a Python that is linked with SQLite 3.37 or newer."
        )
    return Finding(Level.OK, "sqlite", f"version {shown}")


def disk_check(free: int, folder: str) -> Finding:
    """Room beside the database file, in bytes."""
    found = f"{free // (1024 * 1024):,} MiB free in {folder}"
    if free < _LOW_DISK:
        return Finding(Level.WARN, "disk", found, "Make room: a full disk refuses new tasks.")
    return Finding(Level.OK, "disk", found)


def clock_check(store: Micros, here: Micros) -> Finding:
    """The store's clock against this machine's; the store's decides, so a difference only confuses people."""
    skew = timedelta(microseconds=abs(store - here))
    found = f"{skew.total_seconds():.3f} s from the store's clock"
    if skew > _SKEW:
        return Finding(Level.WARN, "clock", found, "Synchronise the clocks; times in logs will not fit together.")
    return Finding(Level.OK, "clock", found)


def worker_checks(workers: Sequence[WorkerRecord]) -> Iterator[Finding]:
    """Whether any worker lives, and which have gone silent."""
    late = [worker.heartbeat.worker for worker in workers if worker.late]
    alive = len(workers) - len(late)
    if alive:
        yield Finding(Level.OK, "workers", f"{alive} alive")
    else:
        yield Finding(Level.WARN, "workers", "none is alive", "Start one: stem worker.")
    if late:
        do = "Look at their machines; their tasks are run again by others."
        yield Finding(Level.WARN, "workers", f"silent: {', '.join(late)}", do)


def queue_checks(queues: Sequence[QueueCount], workers: Sequence[WorkerRecord]) -> Iterator[Finding]:
    """Queues with work that nobody listens to, and tasks that no worker knows."""
    heard = {queue for worker in workers if not worker.late for queue in worker.heartbeat.queues}
    deaf = [queue.queue for queue in queues if _waiting(queue) and queue.queue not in heard]
    if deaf:
        do = f"Start a worker for them: stem worker {' '.join(f'-q {name}' for name in deaf)}"
        yield Finding(Level.WARN, "queues", f"tasks wait and no worker listens: {', '.join(deaf)}", do)
    parked = sum(queue.counts.get(TaskState.PARKED, 0) for queue in queues)
    if parked:
        do = f"See which: stem jobs ls --state {TaskState.PARKED.value}. Deploy workers that have their tasks."
        yield Finding(Level.WARN, "queues", f"{parked} tasks are known to no worker that saw them", do)
    if not deaf and not parked:
        yield Finding(Level.OK, "queues", f"{len(queues)} in use, each is read")


def _waiting(queue: QueueCount) -> bool:
    return any(queue.counts.get(state, 0) for state in LIVE - {TaskState.RUNNING})
