"""The one door to `store.commit`: adaptive group commit, resending, verdicts.

A change is sent at once when nothing is in flight; what arrives meanwhile is the next batch. So one operation costs one
round trip, and load makes batches grow without timers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stem.clock import Clock, Micros
from stem.contracts.changes import CONSUMING, Change, Fence, Publish, Start, Verdict
from stem.contracts.store import Store
from stem.errors import StemError, StoreError, StoreFull, StoreUnavailable

__all__ = ["Commits", "Committer"]

MOST_CHANGES: Final = 500
MOST_BYTES: Final = 4 * 1024 * 1024
QUEUE_BYTES: Final = 64 * 1024 * 1024
RETRY_FOR: Final[Micros] = 30_000_000
_FIRST_PAUSE: Final[Micros] = 50_000
_LONGEST_PAUSE: Final[Micros] = 1_000_000
_OVERHEAD: Final = 512


class Commits(Protocol):
    """What the engine asks of a committer."""

    async def commit(self, change: Change) -> Verdict:
        """The verdict of the store; a result is never observable before this returns.

        A caller cancelled before its change was sent withdraws it; after that the change goes on, and the caller
        must read its cancellation as "outcome unknown". Raises `StoreUnavailable`, "outcome unknown", when the store
        did not answer for 30 s. A full store refuses what is new at once; the outcomes of tasks wait for space as long.
        """
        ...

    def start(self, change: Change) -> None:
        """Send a `Start` with the next batch, awaited by nobody; dropped when the same lease is consumed before
        that."""
        ...


@dataclass(slots=True, eq=False)
class _Item:
    change: Change
    size: int
    answer: asyncio.Future[Verdict] | None


class Committer:
    """Group commit over one store. Belongs to one event loop."""

    def __init__(self, store: Store, *, clock: Clock, retry_for: Micros = RETRY_FOR) -> None:
        self._store = store
        self._clock = clock
        self._retry_for = retry_for
        self._fenced: deque[_Item] = deque()
        self._free: deque[_Item] = deque()
        self._starts: dict[Fence, _Item] = {}
        self._queued_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._sender: asyncio.Task[None] | None = None
        self._closed = False
        self._held_up = False

    async def commit(self, change: Change) -> Verdict:
        """See `Commits.commit`."""
        if change.fence is None:
            await self._wait_for_room()
        else:  # as many as attempts run, and each makes room for publishes: never held back by them
            self._drop_start(change)
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._enqueue(_Item(change, _size(change), answer))
        return await answer

    async def commit_all(self, changes: Sequence[Change]) -> list[Verdict | StemError]:
        """One verdict per change, in order; a change that could not be sent has its error instead."""
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[Verdict]] = []
        for change in changes:
            await self._wait_for_room()
            answers.append(loop.create_future())
            self._enqueue(_Item(change, _size(change), answers[-1]))
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        return [_verdict_or_error(outcome) for outcome in outcomes]

    def start(self, change: Change) -> None:
        """See `Commits.start`."""
        item = _Item(change, _OVERHEAD, None)
        if change.fence is not None:
            self._starts[change.fence] = item
        self._enqueue(item)

    async def aclose(self, *, within: Micros = 5_000_000) -> None:
        """Send what is queued, for at most `within` microseconds; what is left then fails as `StoreUnavailable`."""
        self._closed = True
        sender = self._sender
        if sender is None:
            return
        timer = asyncio.ensure_future(self._clock.sleep(within))
        await asyncio.wait((sender, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        if not sender.done():
            sender.cancel()
            await asyncio.wait((sender,))

    async def _wait_for_room(self) -> None:
        while self._queued_bytes > QUEUE_BYTES:
            self._room.clear()
            await self._room.wait()

    def _drop_start(self, change: Change) -> None:
        item = self._starts.get(change.fence) if change.fence is not None else None
        if item is not None and isinstance(change.writes[0], CONSUMING):
            self._fenced.remove(item)
            self._forget(item)

    def _enqueue(self, item: _Item) -> None:
        if self._closed:
            raise _unavailable("a client that was closed", "Enqueue before it is closed.")
        self._queued_bytes += item.size
        (self._free if item.change.fence is None else self._fenced).append(item)
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send(), name="stem-committer")

    def _forget(self, item: _Item) -> None:
        self._queued_bytes -= item.size
        if item.answer is None and item.change.fence is not None:
            self._starts.pop(item.change.fence, None)
        if not self._room.is_set() and self._queued_bytes <= QUEUE_BYTES:
            self._room.set()

    def _next_batch(self) -> list[_Item]:
        """Fenced changes first, but for a batch after one in which a unique key had to wait for them."""
        batch: list[_Item] = []
        size = 0
        queues = (self._free,) if self._held_up and self._free else (self._fenced, self._free)
        self._held_up = False
        for queue in queues:
            while queue and len(batch) < MOST_CHANGES and (not batch or size + queue[0].size <= MOST_BYTES):
                if _is_unique(queue[0].change) and any(item.change.fence is not None for item in batch[:1]):
                    self._held_up = True
                    break
                item = queue.popleft()
                self._forget(item)
                if item.answer is None or not item.answer.cancelled():
                    batch.append(item)
                    size += item.size
        return batch

    async def _send(self) -> None:
        await asyncio.sleep(0)  # callers of the same turn of the loop travel together
        batch: list[_Item] = []
        try:
            while batch := self._next_batch():
                await self._answer(batch)
        except BaseException as error:
            self._fail([*batch, *self._fenced, *self._free], error)
            self._forget_all()
            raise
        finally:
            self._sender = None

    async def _answer(self, batch: list[_Item]) -> None:
        """Bring every change of the batch its verdict; an error of the store is this batch's, not the next one's."""
        try:
            verdicts = await self._deliver([item.change for item in batch])
        except StoreFull as error:
            fenced = [item for item in batch if item.change.fence is not None]
            self._fail([item for item in batch if item.change.fence is None] or batch, error)
            if 0 < len(fenced) < len(batch):
                await self._answer(fenced)
            return
        except StemError as error:
            self._fail(batch, error)
            return
        for item, verdict in zip(batch, verdicts, strict=True):
            if item.answer is not None and not item.answer.done():
                item.answer.set_result(verdict)

    async def _deliver(self, changes: list[Change]) -> list[Verdict]:
        deadline = self._clock.elapsed() + self._retry_for
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._store.commit(changes)
            except (StoreUnavailable, StoreFull) as error:
                if isinstance(error, StoreFull) and any(change.fence is None for change in changes):
                    raise  # what is new is refused at once; the outcomes of tasks wait for space
                if self._clock.elapsed() + pause >= deadline:
                    raise _unknown(error, self._retry_for) from error
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _fail(self, items: list[_Item], error: BaseException) -> None:
        reason = (
            error if isinstance(error, StemError) else _unavailable("an unknown outcome", "Look at the task's status.")
        )
        for item in items:
            if item.answer is not None and not item.answer.done():
                item.answer.set_exception(reason)

    def _forget_all(self) -> None:
        self._fenced.clear()
        self._free.clear()
        self._starts.clear()
        self._queued_bytes = 0
        self._room.set()


def _verdict_or_error(outcome: Verdict | BaseException) -> Verdict | StemError:
    if isinstance(outcome, BaseException) and not isinstance(outcome, StemError):
        raise outcome
    return outcome


def _is_unique(change: Change) -> bool:
    """Whether it asks for a unique key: another transaction may hold that, and outcomes must not wait for it."""
    return change.fence is None and any(isinstance(write, Publish) and write.unique for write in change.writes)


def _size(change: Change) -> int:
    size = _OVERHEAD
    for write in change.writes:
        if isinstance(write, Publish):
            size += len(write.body)
        elif not isinstance(write, Start):
            size += len(getattr(write, "result", None) or b"")
    return size


def _unknown(error: StoreError, after: Micros) -> StoreUnavailable:
    return StoreUnavailable(
        expected=f"the store to answer within {after // 1_000_000} s",
        found=f"outcome unknown; at last {error.found}",
        do=f"Look at the task's status before you do it again. {error.do}",
    )


def _unavailable(found: str, do: str) -> StoreUnavailable:
    return StoreUnavailable(expected="the store to take the change", found=found, do=do)
