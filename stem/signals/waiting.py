"""The events that wait to be told: bounded, but for what tells of a worker's life."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

from stem.signals.events import ControlReceivedEvent, Event, WorkerEvent, WorkerHeartbeatEvent
from stem.signals.listener import Listener

__all__ = ["KEPT_FREE", "MOST_WAITING", "Pair", "Waiting", "is_of_life"]

MOST_WAITING: Final = 10_000
"""How many calls may wait; an event that comes then is dropped."""
KEPT_FREE: Final = 1_000
"""For how many more there is room where they tell of a worker's life: more workers than one process has."""

Pair: TypeAlias = tuple[Event, Listener]


def is_of_life(event: Event) -> bool:
    """Whether it tells of the beginning or the end of a worker, or of a process of its: few, and not to be missed."""
    return isinstance(event, WorkerEvent) and not isinstance(event, WorkerHeartbeatEvent | ControlReceivedEvent)


class Waiting:
    """Calls of listeners, the first first. Any thread may add; who takes makes sure that nobody else does."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pairs: deque[Pair] = deque()

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def first_is_plain(self) -> bool:
        """Whether one waits, and its listener is a `def`."""
        return bool(self._pairs) and not self._pairs[0][1].is_async

    def add(self, event: Event, listeners: Sequence[Listener]) -> bool:
        """Line the event up for those; whether there was room."""
        if len(self._pairs) >= self._most and (len(self._pairs) >= self._most + KEPT_FREE or not is_of_life(event)):
            return False
        self._pairs.extend([(event, listener) for listener in listeners])
        return True

    def take(self) -> Pair:
        """The first one; raises `IndexError` when there is none."""
        return self._pairs.popleft()

    def leave_life(self) -> int:
        """Forget everything but what tells of a worker's life; how much that was."""
        before = len(self._pairs)
        for _ in range(before):
            pair = self._pairs.popleft()
            if is_of_life(pair[0]):
                self._pairs.append(pair)
        return before - len(self._pairs)

    def clear(self) -> int:
        """Forget everything; how much that was."""
        count = len(self._pairs)
        self._pairs.clear()
        return count
