"""The one door to `store.commit`: adaptive group commit on three lanes, resending, verdicts.

The outcomes of tasks, what is new, and what is new under a unique key travel apart, so that a publish that waits,
because somebody's open transaction holds its key, holds up neither an outcome nor another publish.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, Protocol

from stem.clock import Clock, Micros
from stem.contracts.changes import CONSUMING, Change, Fence, Publish, Start, Verdict
from stem.contracts.store import Store
from stem.errors import StemError
from stem.stores.items import Item, Told, closed, size_of
from stem.stores.lane import Lane

__all__ = ["Commits", "Committer"]

RETRY_FOR: Final[Micros] = 30_000_000


class Commits(Protocol):
    """What the engine asks of a committer."""

    def commit(self, change: Change) -> Awaitable[Verdict]:
        """The verdict of the store; a result is never observable before this returns.

        A caller cancelled before its change was sent withdraws it; after that the change goes on, and the caller
        must read its cancellation as "outcome unknown". Raises `StoreUnavailable`, "outcome unknown", when the store
        did not answer for 30 s. A full store refuses what is new at once; the outcomes of tasks wait for space as long.
        """
        ...

    def settle(self, change: Change, told: Told) -> None:
        """Commit a fenced change for one who does not wait: `told` is called once, on the loop, with the verdict or
        the error that `commit` would raise."""
        ...

    def start(self, fence: Fence, start: Start) -> None:
        """Send a `Start` with the next batch, awaited by nobody; dropped when the same lease is consumed before
        that."""
        ...


class Committer:
    """Group commit over one store. Belongs to one event loop."""

    def __init__(self, store: Store, *, clock: Clock, retry_for: Micros = RETRY_FOR) -> None:
        self._clock = clock
        self._fenced = Lane(store, clock=clock, retry_for=retry_for, patient=True)  # in order: a start, then its end
        self._free = Lane(store, clock=clock, retry_for=retry_for, width=2)
        self._keyed = Lane(store, clock=clock, retry_for=retry_for)  # an open transaction may hold a unique key
        self._closed = False

    def commit(self, change: Change) -> Awaitable[Verdict]:
        """See `Commits.commit`."""
        lane = self._lane_of(change)
        return self._put(lane, change) if lane.has_room else self._commit_later(lane, change)

    async def commit_all(self, changes: Sequence[Change]) -> list[Verdict | StemError]:
        """One verdict per change, in order; a change that could not be sent has its error instead."""
        answers: list[asyncio.Future[Verdict]] = []
        try:
            for change in changes:
                lane = self._lane_of(change)
                if not lane.has_room:
                    await lane.wait_for_room()
                answers.append(self._put(lane, change))
            return [await _verdict_or_error(answer) for answer in answers]
        except BaseException:
            for answer in answers:
                answer.cancel()
            raise

    def settle(self, change: Change, told: Told) -> None:
        """See `Commits.settle`."""
        if self._closed:
            told(closed())
            return
        if change.fence is not None:
            self._fenced.drop_rider(change.fence)
        self._fenced.put(Item(change, size_of(change), None, told))

    def start(self, fence: Fence, start: Start) -> None:
        """See `Commits.start`."""
        if self._closed:
            raise closed()
        self._fenced.ride(fence, start)

    async def aclose(self, *, within: Micros = 5_000_000) -> None:
        """Send what is queued, for at most `within` microseconds; what is left then fails as `StoreUnavailable`."""
        self._closed = True
        lanes = (self._fenced, self._free, self._keyed)
        timer = asyncio.ensure_future(self._clock.sleep(within))
        sent = asyncio.gather(*[lane.rest() for lane in lanes])
        await asyncio.wait((sent, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        sent.cancel()
        for lane in lanes:
            await lane.end()
        await asyncio.sleep(0)  # whoever was answered last is told in this turn

    async def _commit_later(self, lane: Lane, change: Change) -> Verdict:
        await lane.wait_for_room()
        return await self._put(lane, change)

    def _lane_of(self, change: Change) -> Lane:
        if change.fence is not None:
            return self._fenced
        return self._keyed if _asks_for_a_key(change) else self._free

    def _put(self, lane: Lane, change: Change) -> asyncio.Future[Verdict]:
        if change.fence is not None and isinstance(change.writes[0], CONSUMING):
            lane.drop_rider(change.fence)
        if self._closed:
            raise closed()
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        lane.put(Item(change, size_of(change), answer))
        return answer


def _asks_for_a_key(change: Change) -> bool:
    return any([write.unique for write in change.writes if isinstance(write, Publish)])  # noqa: C419  # cheaper for one


async def _verdict_or_error(answer: asyncio.Future[Verdict]) -> Verdict | StemError:
    try:
        return await answer
    except StemError as error:
        return error
