"""What is known of a child process that died in the middle of a task."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stem.errors import WorkerLost
from stem.tasks.status import Failure
from stem.worker.process.messages import Report
from stem.worker.restarts import exit_reason

__all__ = ["Death", "failure_of_death", "lines_text", "out_of_memory_kills", "progress_text"]

_MOST_TEXT: Final = 16_000
_COUNTERS: Final = Path("/proc/vmstat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a child ended; `code` is its exit code, or the number of the signal below zero."""

    code: int
    peak_memory: int
    """In bytes: the most that it ever held."""
    out_of_memory: bool | None
    """Whether the system killed something for want of memory meanwhile; `None` where it does not say."""
    last: Report | None
    """The last progress that it reported."""
    tail: tuple[str, ...]
    """The last lines that it logged or wrote to stderr."""


def failure_of_death(task: str, death: Death) -> Failure:
    """What is recorded of the attempt: the exit reason, the memory, how far it was, its last lines."""
    found = f"its child process dead by {exit_reason(death.code)}"
    if death.code == -signal.SIGKILL:
        found += _guess(death.out_of_memory)
    found += f"; peak memory {death.peak_memory / 2**20:.0f} MiB; {_progress(death.last)}"
    error = WorkerLost(
        expected=f"the attempt of task '{task}' to end before its process",
        found=found,
        do="Look for what ends the process (memory, native code, os._exit), then replay the dead letter.",
    )
    return Failure(type(error).__name__, str(error), lines_text(death.tail), error.code)


def lines_text(lines: Sequence[str]) -> str:
    """What a process logged last, as it stands where a traceback would."""
    text = "\n".join(lines)[-_MOST_TEXT:]
    return f"Last lines of the process:\n{text}" if text else ""


def out_of_memory_kills() -> int | None:
    """How often the system has killed a process for want of memory; `None` where it does not count that."""
    try:
        counts = dict(line.split() for line in _COUNTERS.read_text().splitlines())
        return int(counts["oom_kill"])
    except (OSError, KeyError, ValueError):
        return None


def _guess(out_of_memory: bool | None) -> str:
    if out_of_memory:
        return ", likely by the system, which killed for want of memory meanwhile"
    return ", not by its worker; perhaps by the system for want of memory" if out_of_memory is None else ""


def progress_text(done: float, total: float | None, message: str | None) -> str:
    """The last report of a task in words."""
    of = "" if total is None else f" of {total:g}"
    return f"last progress {done:g}{of}" + (f" '{message}'" if message else "")


def _progress(last: Report | None) -> str:
    return "no progress reported" if last is None else progress_text(last.done, last.total, last.message)
