"""Stores that send without a coroutine: what a lane does sooner with them, and what stays as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.changes import APPLIED, FENCED, Change, Fence, Release, Verdict
from stem.contracts.store import Posted
from stem.errors import StemError, StoreUnavailable
from stem.stores.committer import Committer
from stem.testing import ManualClock
from stem.testing.contracts.build import publish


class _Express(MemoryStore):
    """A store that posts; the test says when its answers come."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.is_open = True
        self.is_broken = False
        self.posted: list[tuple[list[Change], Posted]] = []
        self.committed: list[list[Change]] = []

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        self.committed.append(list(changes))
        return await super().commit(changes)

    def post(self, changes: Sequence[Change], told: Posted) -> bool:
        if self.is_broken:
            raise ValueError("no number of four bytes")
        if self.is_open:
            self.posted.append((list(changes), told))
        return self.is_open

    def answer(self, verdict: Verdict | None = APPLIED) -> None:
        changes, told = self.posted.pop(0)
        told(None if verdict is None else [verdict] * len(changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def express(clock: ManualClock) -> _Express:
    return _Express(clock)


@pytest.fixture
def committer(express: _Express, clock: ManualClock) -> Committer:
    return Committer(express, clock=clock)


def _change() -> Change:
    return Change((publish(),))


async def _begun(committer: Committer, *changes: Change) -> list[asyncio.Task[Verdict]]:
    """Commits that have come as far as they can without an answer."""
    callers = [asyncio.ensure_future(committer.commit(change)) for change in changes]
    for _ in range(5):
        await asyncio.sleep(0)
    return callers


async def _alone(committer: Committer, express: _Express) -> None:
    """One change has travelled alone."""
    (caller,) = await _begun(committer, _change())
    express.answer()
    assert await caller == APPLIED


async def test_the_verdict_of_a_posted_change_is_its_callers(committer: Committer, express: _Express) -> None:
    (caller,) = await _begun(committer, _change())
    express.answer(FENCED)
    assert await caller == FENCED
    assert express.committed == []


async def test_one_who_comes_alone_again_is_sent_in_the_same_turn(committer: Committer, express: _Express) -> None:
    told: list[Verdict | StemError] = []
    end = Change((Release(),), Fence("task", 1, "n"))
    committer.settle(end, told.append)
    assert express.posted == []  # others of this turn may come
    await asyncio.sleep(0)
    express.answer()
    committer.settle(end, told.append)
    assert len(express.posted) == 1


async def test_callers_of_one_turn_travel_together_behind_the_first(committer: Committer, express: _Express) -> None:
    await _alone(committer, express)
    callers = await _begun(committer, *[_change() for _ in range(5)])
    assert [len(changes) for changes, _ in express.posted] == [1]
    express.answer()
    assert [len(changes) for changes, _ in express.posted] == [4]
    express.answer()
    assert await asyncio.gather(*callers) == [APPLIED] * 5
    callers = await _begun(committer, *[_change() for _ in range(5)])
    assert [len(changes) for changes, _ in express.posted] == [5]


async def test_what_was_posted_and_not_answered_is_committed(committer: Committer, express: _Express) -> None:
    change = _change()
    (caller,) = await _begun(committer, change)
    express.answer(None)
    assert await caller == APPLIED
    assert express.committed == [[change]]


@pytest.mark.parametrize("is_broken", [False, True])
async def test_what_cannot_be_posted_is_committed(is_broken: bool, committer: Committer, express: _Express) -> None:
    express.is_open, express.is_broken = False, is_broken
    change = _change()
    assert await committer.commit(change) == APPLIED
    assert express.committed == [[change]]


async def test_closing_waits_for_the_answer_of_what_was_posted(committer: Committer, express: _Express) -> None:
    (caller,) = await _begun(committer, _change())
    closing = asyncio.ensure_future(committer.aclose())
    await asyncio.sleep(0)
    express.answer()
    await closing
    assert await caller == APPLIED


async def test_an_answer_after_the_end_is_passed_over(
    committer: Committer, express: _Express, clock: ManualClock
) -> None:
    callers = await _begun(committer, _change())
    closing = asyncio.ensure_future(committer.aclose())
    await clock.run_for(6)
    await closing
    express.answer(None)
    with pytest.raises(StoreUnavailable, match="unknown outcome"):
        await callers[0]
    assert express.committed == []


async def test_closing_again_waits_for_nothing(committer: Committer, express: _Express, clock: ManualClock) -> None:
    (caller,) = await _begun(committer, _change())
    closing = asyncio.ensure_future(committer.aclose())
    await clock.run_for(6)
    await closing
    again = (await asyncio.wait([asyncio.ensure_future(committer.aclose())], timeout=1))[0]
    assert again
    assert isinstance(caller.exception(), StoreUnavailable)
