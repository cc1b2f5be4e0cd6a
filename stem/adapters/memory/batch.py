"""One commit under way: its time, its settings, and the news that it collects."""

from __future__ import annotations

from dataclasses import dataclass, field

from stem.adapters.memory.rows import Message
from stem.adapters.memory.tables import Tables
from stem.clock import Micros
from stem.contracts.retention import Retention
from stem.contracts.store import Notice

__all__ = ["Batch", "put_in_line"]


@dataclass(slots=True)
class Batch:
    """The tables, the one time at which everything in it happens, and the news that it collects."""

    tables: Tables
    now: Micros
    max_value: int
    retention: Retention
    queues: set[str] = field(default_factory=set[str])
    tasks: list[str] = field(default_factory=list[str])

    def notice(self) -> Notice | None:
        """The notice; `None` when nothing happened that anybody waits for."""
        if not self.queues and not self.tasks:
            return None
        return Notice(frozenset(self.queues), tuple(dict.fromkeys(self.tasks)))


def put_in_line(batch: Batch, message: Message) -> None:
    """Let a message wait for a worker as if it had been published now."""
    now = batch.now
    message.held = False
    message.expires_at = None if message.expires is None else now + message.expires
    due = now + message.delay if message.not_before is None else max(now, message.not_before)
    batch.tables.wait(message, due, now)
    batch.queues.add(message.queue)
