"""Forgetting what has ended long enough ago."""

from __future__ import annotations

import heapq

from stem.adapters.memory.tables import Tables
from stem.clock import Micros

__all__ = ["delete_ended"]


def delete_ended(tables: Tables, limit: int, now: Micros) -> int:
    """See `Store.retain`."""
    _forget_keys(tables, now)
    deleted = 0
    ended = tables.ended
    while deleted < limit and ended and ended[0][0] <= now:
        keep_until, _, message = heapq.heappop(ended)
        if message.keep_until == keep_until and tables.tasks.get(message.id) is message:
            del tables.tasks[message.id]
            deleted += 1
    return deleted


def _forget_keys(tables: Tables, now: Micros) -> None:
    while tables.key_ends and tables.key_ends[0][0] <= now:
        until, key = heapq.heappop(tables.key_ends)
        holder = tables.keys.get(key)
        if holder is not None and holder.until == until:
            del tables.keys[key]
