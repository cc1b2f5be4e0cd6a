"""One lane of a committer: what waits, what is under way, who is told.

A change is sent at once when nothing is under way; what arrives meanwhile is the next batch. So one operation costs one
round trip, and load makes batches grow without timers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Final

from stem.clock import Clock, Micros
from stem.contracts.changes import Change, Fence, RefusalCode, Refused, Start, Verdict
from stem.contracts.store import Posts, Store
from stem.errors import StemError, StoreFull, StoreUnavailable
from stem.stores.items import OVERHEAD, Item, tell, unknown, unknown_fate

__all__ = ["Lane"]

MOST_CHANGES: Final = 500
MOST_BYTES: Final = 4 * 1024 * 1024
HALF: Final = 32
"""So many at least are in each of two batches that are under way at once: fewer cost more than they hide."""
QUEUE_BYTES: Final = 64 * 1024 * 1024
_FIRST_PAUSE: Final[Micros] = 50_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000


class Lane:
    """Sends batches, up to `width` at a time, each until there is an answer or the time for it is over.

    An error is that of its batch alone. The changes of a `patient` lane wait for space on a full store.
    """

    def __init__(self, store: Store, *, clock: Clock, retry_for: Micros, width: int = 1, patient: bool = False) -> None:
        self._store = store
        self._post = store.post if isinstance(store, Posts) else None
        self._clock = clock
        self._retry_for = retry_for
        self._width = width
        self._patient = patient
        self._queue: deque[Item] = deque()
        self._riders: dict[str, tuple[Fence, Start]] = {}
        self._under_way: list[Sequence[Item]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: dict[asyncio.Task[None], Sequence[Item]] = {}
        self._is_called = False
        """Whether a batch is sent in the next turn of the loop."""
        self._is_lone = False
        """Whether the last batch was a single change, posted, and nobody came while it was under way."""
        self._ended = False
        self._at_rest: asyncio.Future[None] | None = None
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def has_room(self) -> bool:
        """Whether less waits than the bytes that a queue may hold. Outcomes are never held back: they are as many as
        attempts run."""
        return self._patient or self._bytes <= QUEUE_BYTES

    async def wait_for_room(self) -> None:
        """Return when there is room."""
        while not self.has_room:
            self._room.clear()
            await self._room.wait()

    def put(self, item: Item) -> None:
        """Send it with the next batch: callers of the same turn of the loop travel together.

        Who comes alone again and again does not wait for others who might.
        """
        self._queue.append(item)
        self._bytes += item.size
        if self._is_lone and not self._under_way and not self._is_called:
            self._send()
        else:
            self._call()

    def ride(self, fence: Fence, start: Start) -> None:
        """Send it with the next batch unless it is dropped before that; nobody is told. One at a time for each task."""
        self._riders[fence.task_id] = (fence, start)
        self._call()

    def drop_rider(self, fence: Fence) -> None:
        """Do not send what still rides under this fence."""
        rider = self._riders.get(fence.task_id)
        if rider is not None and rider[0] == fence:
            del self._riders[fence.task_id]

    async def rest(self) -> None:
        """Return when nothing waits and nothing is under way."""
        while self._is_called or self._under_way or self._resting:
            self._at_rest = asyncio.get_running_loop().create_future()
            await self._at_rest

    async def end(self) -> None:
        """Stop sending; whoever still waits is told that the outcome is unknown."""
        self._ended = True
        tasks = (*self._tasks, *self._resting)
        left = [item for items in (*self._under_way, *self._resting.values(), self._queue) for item in items]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._under_way.clear()
        self._queue.clear()
        self._riders.clear()
        self._bytes = 0
        self._room.set()
        tell(left, [unknown_fate()] * len(left))

    def _call(self) -> None:
        """Send in the next turn of the loop, if another batch may be under way then."""
        begun = len(self._under_way)
        if not self._is_called and (not begun or (begun < self._width and len(self._queue) >= HALF)):
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._is_called = False
        batch = self._next_batch()
        if batch and not self._ended:
            self._under_way.append(batch)
            if not self._is_posted(batch):
                self._deliver(batch)
            self._call()
        self._tell_rest()

    def _next_batch(self) -> list[Item]:
        batch = self._next_riders() if self._riders else []
        queue, size, most = self._queue, 0, MOST_CHANGES
        if len(self._under_way) + 1 < self._width and len(queue) >= 2 * HALF:
            most = min(most, len(queue) // 2)  # the engine works on these while the rest is prepared
        while queue and len(batch) < most and (not size or size + queue[0].size <= MOST_BYTES):
            item = queue.popleft()
            self._bytes -= item.size
            if item.answer is None or not item.answer.cancelled():
                batch.append(item)
                size += item.size
        if not self._room.is_set() and self.has_room:
            self._room.set()
        return batch

    def _next_riders(self) -> list[Item]:
        riders = [self._riders.pop(task_id) for task_id in list(self._riders)[:MOST_CHANGES]]
        return [Item(Change((start,), fence), OVERHEAD) for fence, start in riders]

    def _is_posted(self, batch: Sequence[Item]) -> bool:
        if self._post is None:
            return False
        try:
            return self._post([item.change for item in batch], partial(self._posted, batch))
        except Exception:  # noqa: BLE001  # `commit` will say what is wrong, to those whom it concerns
            return False

    def _posted(self, batch: Sequence[Item], verdicts: Sequence[Verdict] | None) -> None:
        if verdicts is not None:
            self._is_lone = len(batch) == 1 and not self._queue
            self._answered(batch, verdicts)
        elif not self._ended:
            self._deliver(batch)

    def _deliver(self, batch: Sequence[Item]) -> None:
        task = asyncio.get_running_loop().create_task(self._commit(batch), name="stem-committer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, batch: Sequence[Item]) -> None:
        try:
            verdicts: Sequence[Verdict | StemError] = await self._verdicts([item.change for item in batch])
        except StemError as error:
            verdicts = [error] * len(batch)
        except BaseException:
            self._answered(batch, [unknown_fate()] * len(batch))
            raise
        self._answered(batch, verdicts)

    async def _verdicts(self, changes: list[Change]) -> list[Verdict]:
        deadline = self._clock.elapsed() + self._retry_for
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._store.commit(changes)
            except (StoreUnavailable, StoreFull) as error:
                if isinstance(error, StoreFull) and not self._patient:
                    raise  # what is new is refused at once
                if self._clock.elapsed() + pause >= deadline:
                    raise unknown(error, self._retry_for) from error
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _answered(self, batch: Sequence[Item], verdicts: Sequence[Verdict | StemError]) -> None:
        """An error of the store is that of this batch, not of the next one."""
        if self._ended:
            return
        self._under_way.remove(batch)
        told = self._without_held_up(batch, verdicts)
        if self._queue or self._riders:  # the engine has them before the callers run: 15 % on enqueue
            self._send()
        tell(*told)
        self._tell_rest()

    def _without_held_up(
        self, batch: Sequence[Item], verdicts: Sequence[Verdict | StemError]
    ) -> tuple[Sequence[Item], Sequence[Verdict | StemError]]:
        """What can be told; what somebody's open transaction holds up is sent again later, and keeps nobody waiting."""
        refused = [pair for pair in zip(batch, verdicts, strict=True) if isinstance(pair[1], Refused)]
        held_up = [item for item, verdict in refused if self._rests(item, verdict)]
        if not held_up:
            return batch, verdicts
        resting = asyncio.get_running_loop().create_task(self._send_later(held_up), name="stem-held-up")
        self._resting[resting] = held_up
        resting.add_done_callback(self._rested)
        told = [(item, verdict) for item, verdict in zip(batch, verdicts, strict=True) if item not in held_up]
        return [item for item, _ in told], [verdict for _, verdict in told]

    def _rests(self, item: Item, verdict: Verdict | StemError) -> bool:
        if not (isinstance(verdict, Refused) and verdict.code == RefusalCode.HELD_UP):
            return False
        now = self._clock.elapsed()
        if item.until is None:
            item.until = now + self._retry_for
        return now < item.until

    async def _send_later(self, items: Sequence[Item]) -> None:
        await self._clock.sleep(_LONGEST_PAUSE)
        for item in items:
            self.put(item)

    def _rested(self, task: asyncio.Task[None]) -> None:
        del self._resting[task]
        self._tell_rest()

    def _tell_rest(self) -> None:
        if self._at_rest is not None and not self._at_rest.done():
            self._at_rest.set_result(None)
