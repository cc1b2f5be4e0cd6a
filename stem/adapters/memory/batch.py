"""One commit under way, and the end of a task, which every kind of write may bring."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from stem.adapters.memory.tables import Message, Tables
from stem.clock import Micros
from stem.contracts.retention import keep_for
from stem.contracts.store import Notice
from stem.tasks.state import TaskEvent, advance

__all__ = ["Batch", "end_task"]


@dataclass(slots=True)
class Batch:
    """The tables, the one time at which all its changes happen, and the news that it collects."""

    tables: Tables
    now: Micros
    max_value: int
    queues: set[str] = field(default_factory=set[str])
    tasks: list[str] = field(default_factory=list[str])

    def notice(self) -> Notice | None:
        """The notice; `None` when nothing happened that anybody waits for."""
        if not self.queues and not self.tasks:
            return None
        return Notice(frozenset(self.queues), tuple(dict.fromkeys(self.tasks)))


def end_task(batch: Batch, message: Message, event: TaskEvent) -> None:
    """Make a task terminal."""
    message.state = advance(message.state, event)
    message.due_at = None
    message.finished_at = batch.now
    message.result_until = None if message.ignore_result else batch.now + message.result_ttl
    message.keep_until = batch.now + keep_for(message.result_ttl, dead=message.bury_reason is not None)
    heapq.heappush(batch.tables.ended, (message.keep_until, batch.tables.next_number(), message))
    batch.tables.release_key(message)
    batch.tasks.append(message.id)
