"""What a waiting worker is handed by its store, and when it lets its request stand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from stem.adapters.memory import MemoryStore
from stem.contracts.store import Handed, LeaseAnswer, LeaseRequest, Notice
from stem.registry import definition
from stem.stores.committer import Committer
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from tests.stem.worker import tasks
from tests.stem.worker.support import Hands, Workshop, turns


class _Handing(MemoryStore):
    """Lets every request stand, and hands over what the test publishes for it."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.requests: list[LeaseRequest] = []

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.requests.append(request)
        answer = await super().lease(request)
        return replace(answer, stands=bool(request.stands_as) and not answer.deliveries)

    async def hand(self) -> Notice:
        """Lease what is due to the request that stands."""
        request = self.requests[-1]
        given = await super().lease(request._replace(request_id=request.stands_as, limit=1))
        return Notice(handed=Handed(request.stands_as, 0, given.deliveries))


@pytest.fixture
def handing(clock: ManualClock) -> _Handing:
    return _Handing(clock)


@pytest.fixture
async def waiting(handing: _Handing, clock: ManualClock) -> AsyncIterator[tuple[Workshop, Hands]]:
    """A worker that has asked once, for nothing, and does not hear of what is published."""
    tasks.gates.gate = tasks.Gate()
    commits = Committer(handing, clock=clock)
    shop = Workshop.over(handing, clock, commits)
    hands = shop.hands(tasks.add, tasks.holds)
    hands.tasks.append(asyncio.ensure_future(hands.engine.fetcher.run()))
    await turns()
    yield shop, hands
    tasks.gates.gate.open()
    await shop.aclose()
    await commits.aclose()


async def test_what_is_handed_over_runs_without_a_call(waiting: tuple[Workshop, Hands], handing: _Handing) -> None:
    shop, hands = waiting
    task_id = await shop.enqueue(definition(tasks.holds).call())

    hands.engine.fetcher.hear(await handing.hand())
    await turns()

    assert (len(handing.requests), await shop.bench.state(task_id)) == (1, TaskState.RUNNING)
    assert tasks.gates.gate.entered == 1


async def test_what_is_handed_over_is_heard_in_any_thread(waiting: tuple[Workshop, Hands], handing: _Handing) -> None:
    shop, hands = waiting
    await shop.enqueue(definition(tasks.holds).call())

    await asyncio.to_thread(hands.engine.fetcher.hear, await handing.hand())
    await turns()

    assert tasks.gates.gate.entered == 1


async def test_when_it_has_ended_the_next_request_stands(waiting: tuple[Workshop, Hands], handing: _Handing) -> None:
    shop, hands = waiting
    task_id = await shop.enqueue(definition(tasks.add).call(1, 2))

    hands.engine.fetcher.hear(await handing.hand())
    await turns()

    first, second = handing.requests
    assert await shop.bench.state(task_id) is TaskState.SUCCEEDED
    assert second.stands_as not in ("", first.stands_as)
    assert (second.stood, second.request_id == first.stands_as) == ((), False)


async def test_the_next_call_is_made_under_the_id_of_what_stood(
    waiting: tuple[Workshop, Hands], handing: _Handing, clock: ManualClock
) -> None:
    await clock.run_for(6)

    first, second = handing.requests
    assert (second.request_id, second.stood) == (first.stands_as, tuple(first.queues))


async def test_a_worker_that_has_something_to_do_lets_nothing_stand(
    waiting: tuple[Workshop, Hands], handing: _Handing, clock: ManualClock
) -> None:
    shop, hands = waiting
    await shop.enqueue(definition(tasks.holds).call())
    hands.engine.fetcher.hear(await handing.hand())
    await clock.run_for(6)

    assert handing.requests[-1].stands_as == ""


async def test_a_worker_that_stops_ends_what_stands(waiting: tuple[Workshop, Hands], handing: _Handing) -> None:
    _, hands = waiting

    hands.engine.fetcher.stop()
    await turns()

    first, last = handing.requests
    assert (last.request_id, last.limit, last.stands_as, last.stood) == (first.stands_as, 0, "", tuple(first.queues))
    assert hands.tasks[0].done()
