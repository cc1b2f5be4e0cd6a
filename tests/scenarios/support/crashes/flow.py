"""What a process does with a store until it dies, and what has to hold wherever that was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing.contracts.build import Bench

__all__ = ["Aftermath", "Fact", "Flow", "Tell"]

Fact: TypeAlias = tuple[Literal["published", "ended", "said"], str]
"""What the process was told before it died: that a task is accepted, that it has ended, or something of the flow."""
Tell: TypeAlias = Callable[[Literal["published", "ended", "said"], str], None]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a clean process found, and what it made of it."""

    told: frozenset[Fact]
    before: Mapping[str, TaskRecord]
    """What was there when it came."""
    ran: Counter[str]
    """What it had to run."""
    records: Mapping[str, TaskRecord]
    """What was there when nothing was left to run."""
    bench: Bench

    def said(self, what: str) -> bool:
        """Whether the process came so far that it was told this."""
        return ("said", what) in self.told

    def state(self, task: str) -> TaskState | None:
        """How a task ended; `None` for one that is not known."""
        return self.records[task].state if task in self.records else None


class Flow:
    """Subclassed for each thing that can be interrupted. Its ids are the same in every run."""

    queues: Mapping[str, int] = MappingProxyType({"default": 1})
    """Where a clean process finds what is left to run."""

    async def prepare(self, bench: Bench) -> None:
        """What was there before; nothing interrupts it."""

    async def act(self, bench: Bench, tell: Tell) -> None:
        """What is interrupted before and after each call of the store."""
        raise NotImplementedError

    async def resume(self, bench: Bench) -> None:
        """What a clean process does beside running tasks."""

    async def audit(self, after: Aftermath) -> None:
        """What has to hold beside that which holds always."""
