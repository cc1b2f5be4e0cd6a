"""One lane of a committer: what waits, what is under way, who is told.

A change is sent at once when nothing is under way; what arrives meanwhile is the next batch. So one operation costs one
round trip, and load makes batches grow without timers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from stem.clock import Clock, Micros
from stem.contracts.changes import (
    Change,
    Fence,
    Publish,
    RefusalCode,
    Refused,
    Settle,
    Start,
    Verdict,
)
from stem.contracts.store import Store
from stem.errors import StemError, StoreError, StoreFull, StoreUnavailable

__all__ = ["Item", "Lane", "Told", "closed", "size_of"]

MOST_CHANGES: Final = 500
MOST_BYTES: Final = 4 * 1024 * 1024
OVERHEAD: Final = 512
"""What a change counts for beside its bytes."""
HALF: Final = 32
"""So many at least are in each of two batches that are under way at once: fewer cost more than they hide."""
QUEUE_BYTES: Final = 64 * 1024 * 1024
_FIRST_PAUSE: Final[Micros] = 50_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000

Told: TypeAlias = Callable[[Verdict | StemError], None]


@dataclass(slots=True, eq=False)
class Item:
    """A change on its way, and who is told of its verdict: one who awaits it, or one who is called."""

    change: Change
    size: int
    answer: asyncio.Future[Verdict] | None = None
    told: Told | None = None
    until: Micros | None = None
    """When it is given up, once it was held up."""

    def tell(self, verdict: Verdict | StemError) -> None:
        """Bring the verdict, or the error that stands in its place."""
        answer = self.answer
        if answer is None:
            if self.told is not None:
                self.told(verdict)
        elif not answer.done():
            if isinstance(verdict, StemError):
                answer.set_exception(verdict)
            else:
                answer.set_result(verdict)


class Lane:
    """Sends batches, up to `width` at a time, each until there is an answer or the time for it is over.

    An error is that of its batch alone. The changes of a `patient` lane wait for space on a full store.
    """

    def __init__(self, store: Store, *, clock: Clock, retry_for: Micros, width: int = 1, patient: bool = False) -> None:
        self._store = store
        self._clock = clock
        self._retry_for = retry_for
        self._width = width
        self._patient = patient
        self._queue: deque[Item] = deque()
        self._riders: dict[str, tuple[Fence, Start]] = {}
        self._senders: set[asyncio.Task[None]] = set()
        self._resting: dict[asyncio.Task[None], Sequence[Item]] = {}
        self._under_way = 0
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def senders(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks that send; none when nothing waits and nothing is under way."""
        return (*self._senders, *self._resting)

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
        """Send it with the next batch: callers of the same turn of the loop travel together."""
        self._queue.append(item)
        self._bytes += item.size
        senders = len(self._senders)
        if senders == 0 or (senders == self._under_way < self._width and len(self._queue) >= HALF):
            self._begin()

    def ride(self, fence: Fence, start: Start) -> None:
        """Send it with the next batch unless it is dropped before that; nobody is told. One at a time for each task."""
        self._riders[fence.task_id] = (fence, start)
        if not self._senders:
            self._begin()

    def drop_rider(self, fence: Fence) -> None:
        """Do not send what still rides under this fence."""
        rider = self._riders.get(fence.task_id)
        if rider is not None and rider[0] == fence:
            del self._riders[fence.task_id]

    async def end(self) -> None:
        """Stop sending; whoever still waits is told that the outcome is unknown."""
        resting = [item for items in self._resting.values() for item in items]
        senders = self.senders
        for sender in senders:
            sender.cancel()
        if senders:
            await asyncio.wait(senders)
        _tell(resting, [_unknown_fate()] * len(resting))
        self._fail_all()

    def _begin(self) -> None:
        self._senders.add(asyncio.get_running_loop().create_task(self._send(), name="stem-committer"))

    def _next_batch(self) -> list[Item]:
        batch = self._next_riders()
        queue, size, most = self._queue, 0, MOST_CHANGES
        if self._under_way + 1 < self._width and len(queue) >= 2 * HALF:
            most = min(most, len(queue) // 2)  # the engine works on these while the rest is prepared
            if len(self._senders) < self._width:
                self._begin()
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
        if not self._riders:
            return []
        riders = [self._riders.pop(task_id) for task_id in list(self._riders)[:MOST_CHANGES]]
        return [Item(Change((start,), fence), OVERHEAD) for fence, start in riders]

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[Item] = []
        try:
            while batch := self._next_batch():
                verdicts = await self._verdicts(batch)
                told = self._without_held_up(batch, verdicts)
                if self._queue or self._riders:  # the engine has them before the callers run: 15 % on enqueue
                    loop.call_soon(_tell, *told)
                else:
                    _tell(*told)
        except BaseException:
            _tell(batch, [_unknown_fate()] * len(batch))
            self._fail_all()
            raise
        finally:
            self._senders.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _verdicts(self, batch: Sequence[Item]) -> Sequence[Verdict | StemError]:
        """The verdict of every change; an error of the store is this batch's, not the next one's."""
        self._under_way += 1
        try:
            return await self._deliver([item.change for item in batch])
        except StemError as error:
            return [error] * len(batch)
        finally:
            self._under_way -= 1

    async def _deliver(self, changes: list[Change]) -> list[Verdict]:
        deadline = self._clock.elapsed() + self._retry_for
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._store.commit(changes)
            except (StoreUnavailable, StoreFull) as error:
                if isinstance(error, StoreFull) and not self._patient:
                    raise  # what is new is refused at once
                if self._clock.elapsed() + pause >= deadline:
                    raise _unknown(error, self._retry_for) from error
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

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
        resting.add_done_callback(self._resting.pop)
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

    def _fail_all(self) -> None:
        left = list(self._queue)
        self._queue.clear()
        self._riders.clear()
        self._bytes = 0
        self._room.set()
        _tell(left, [_unknown_fate()] * len(left))


def _tell(batch: Sequence[Item], verdicts: Sequence[Verdict | StemError]) -> None:
    for item, verdict in zip(batch, verdicts, strict=True):
        item.tell(verdict)


def size_of(change: Change) -> int:
    """About how many bytes it takes in a batch."""
    size = OVERHEAD
    for write in change.writes:
        if isinstance(write, Settle):
            size += 0 if write.result is None else len(write.result)
        elif isinstance(write, Publish):
            size += len(write.body)
    return size


def closed() -> StoreUnavailable:
    """The error of one who commits through what was closed."""
    return _unavailable("a client that was closed", "Enqueue before it is closed.")


def _unknown(error: StoreError, after: Micros) -> StoreUnavailable:
    return StoreUnavailable(
        expected=f"the store to answer within {after // 1_000_000} s",
        found=f"outcome unknown; at last {error.found}",
        do=f"Look at the task's status before you do it again. {error.do}",
    )


def _unknown_fate() -> StoreUnavailable:
    return _unavailable("an unknown outcome", "Look at the task's status.")


def _unavailable(found: str, do: str) -> StoreUnavailable:
    return StoreUnavailable(expected="the store to take the change", found=found, do=do)
