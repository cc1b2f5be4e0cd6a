"""How one worker process behaves: every number, checked once."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from stem.errors import ConfigError

__all__ = ["WorkerSettings"]

_SHORTEST_LEASE: Final = timedelta(seconds=1)
_ZERO: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings of one worker. Raises `ConfigError`, naming the setting, for a value that makes no sense."""

    queues: Mapping[str, int] = field(default_factory=lambda: {"default": 1})
    """Queue name to weight, 1 or more."""
    concurrency: int = 100
    """How many handlers run at once, on the loop and in threads together."""
    min_concurrency: int | None = None
    """Where it is given, the worker begins with so many, and `concurrency` is what it may grow to."""
    max_wait: timedelta = timedelta(seconds=1)
    """It grows while a due task of its queues has waited longer."""
    children: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many child processes at most, for tasks with `run_in="process"`; started when they are needed."""
    max_tasks_per_child: int | None = None
    """A child is replaced after so many tasks."""
    max_memory_per_child: int | None = None
    """A child is replaced when it holds so many bytes after a task."""
    lease: timedelta = timedelta(seconds=10)
    """For tasks that set no lease of their own; a dead worker's task is found within about this long plus 2.7 s."""
    sweep_every: timedelta = timedelta(seconds=2)
    beat_every: timedelta = timedelta(seconds=5)
    drain: timedelta = timedelta(seconds=25)
    """How long running tasks may go on after a stop was asked for."""
    middleware_limit: timedelta = timedelta(seconds=30)
    """How long the middleware around an attempt may take before the handler, and as long again after it."""
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}")
    """Unique among the workers of one store; made of host and process when not given."""

    def __post_init__(self) -> None:
        _require(bool(self.queues), "queues", "at least one queue", dict(self.queues))
        for queue, weight in self.queues.items():
            _require(0 < len(queue) <= 200 and queue.isprintable(), "queues", "named by printable text", queue)
            _require(weight >= 1, "queues", f"a weight of 1 or more for '{queue}'", weight)
        _require(self.concurrency >= 1, "concurrency", "1 or more", self.concurrency)
        least = self.min_concurrency
        _require(least is None or 1 <= least <= self.concurrency, "min_concurrency", "1 up to `concurrency`", least)
        _require(self.max_wait > _ZERO, "max_wait", "longer than zero", self.max_wait)
        _require(self.children >= 1, "children", "1 or more", self.children)
        for name in ("max_tasks_per_child", "max_memory_per_child"):
            most = getattr(self, name)
            _require(most is None or most >= 1, name, "1 or more, or None", most)
        _require(self.lease >= _SHORTEST_LEASE, "lease", "one second or more", self.lease)
        for name in ("sweep_every", "beat_every", "middleware_limit"):
            _require(getattr(self, name) > _ZERO, name, "longer than zero", getattr(self, name))
        _require(self.drain >= _ZERO, "drain", "zero or more", self.drain)
        _require(0 < len(self.name) <= 200, "name", "1 to 200 characters", self.name)


def _require(holds: bool, name: str, expected: str, found: object) -> None:
    if not holds:
        raise ConfigError(
            expected=f"worker setting `{name}` to be {expected}",
            found=repr(found),
            do=f"Correct `{name}` where the worker is started.",
        )
