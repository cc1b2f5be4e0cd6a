"""What handlers really did: a file to which every process appends one line per event, whole or not at all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from stem.tasks.context import TaskContext

__all__ = ["ENDED", "STARTED", "VARIABLE", "Entry", "Journal", "write_entry"]

VARIABLE = "STEM_SCENARIO_JOURNAL"
"""The environment variable that tells worker processes where the file is."""
STARTED = "started"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of one delivery; `at` is seconds since the epoch, by the machine's clock."""

    task_id: str
    fence: int
    attempt: int
    pid: int
    event: str
    at: float


def write_entry(ctx: TaskContext, event: str) -> None:
    """Append one line; survives the death of the process that wrote it."""
    entry = Entry(ctx.task_id, ctx.fence, ctx.attempt, os.getpid(), event, time.time())
    line = json.dumps(asdict(entry)).encode() + b"\n"
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


class Journal:
    """Reads the file as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._entries: list[Entry] = []

    def entries(self, keep: Callable[[Entry], bool] = lambda entry: True) -> list[Entry]:
        """The entries so far for which `keep` holds, in the order in which they were written."""
        self._read_on()
        return [entry for entry in self._entries if keep(entry)]

    def started(self, task_id: str | None = None, *, pid: int | None = None) -> list[Entry]:
        """The starts of a task, of a process, or all."""
        return self._of(STARTED, task_id, pid)

    def ended(self, task_id: str | None = None, *, pid: int | None = None) -> list[Entry]:
        """The ends of a task, of a process, or all."""
        return self._of(ENDED, task_id, pid)

    def in_hand(self, pid: int) -> set[str]:
        """The tasks that this process has begun and not ended."""
        return {entry.task_id for entry in self.started(pid=pid)} - {entry.task_id for entry in self.ended(pid=pid)}

    def _of(self, event: str, task_id: str | None, pid: int | None) -> list[Entry]:
        return self.entries(
            lambda entry: entry.event == event and task_id in (None, entry.task_id) and pid in (None, entry.pid)
        )

    def _read_on(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        self._entries += [Entry(**json.loads(line)) for line in whole.splitlines()]
