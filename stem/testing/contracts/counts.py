"""Counts: of queues and of task names, exact after every kind of change."""

from __future__ import annotations

from collections import Counter

import pytest

from stem.contracts.changes import Bury, Cancel, Discard, Fence, Park, Release, Replay, Reschedule, SealGroup, Write
from stem.contracts.store import Store
from stem.tasks.links import After
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, START, SUCCESS, Bench, label, seconds
from stem.testing.contracts.dice import Dice
from stem.testing.contracts.lineups import fill

__all__ = ["CountContract"]

ENDS: list[Write] = [SUCCESS, FAILURE, Bury("crashed")]
BACK: list[Write] = [Release(), Reschedule(seconds(5), Failure("E", "m")), Park("unknown task", "r", seconds(5))]
QUEUES = {"a": 1, "b": 1}


async def _assert_exact(bench: Bench) -> None:
    """What the counts say is what a count over all records says."""
    records = (await bench.everything()).values()
    now = bench.clock.now()
    by_queue: dict[str, Counter[TaskState]] = {}
    due: dict[str, list[int]] = {}
    for record in records:
        by_queue.setdefault(record.queue, Counter())[record.state] += 1
        due.setdefault(record.queue, []).extend([record.due_at] if record.due_at is not None else [])
    told = [(count.queue, dict(count.counts), count.oldest_due) for count in await bench.store.queues()]
    oldest = {queue: min((at for at in times if at <= now), default=None) for queue, times in due.items()}
    assert told == [(queue, dict(counts), oldest[queue]) for queue, counts in sorted(by_queue.items())]
    assert await bench.store.task_names() == Counter(record.name for record in records)


class CountContract(Contract):
    """`Queries.queues` and `Queries.task_names`."""

    @pytest.mark.parametrize("seed", range(12))
    async def test_counts_are_exact_after_every_change(self, bench: Bench, seed: int) -> None:
        fences: list[Fence] = []
        for number in range(6):
            for side in QUEUES:
                answer = await bench.lease(3, queues={side: 1})
                fences += [delivery.fence for delivery in answer.deliveries]
                await _assert_exact(bench)
                await bench.store.commit(Dice(f"{seed}-{number}", side, linked=True).changes(fences))
                await _assert_exact(bench)
            bench.clock.advance((1, 4, 90, 200_000)[number % 4])
            await bench.store.retain(3)
            await _assert_exact(bench)

    @pytest.mark.parametrize("write", [*ENDS, *BACK, START], ids=label)
    async def test_counts_are_exact_after_a_write_of_a_worker(self, bench: Bench, write: Write) -> None:
        for queue in QUEUES:
            await bench.apply(write, fence=(await bench.running(queue=queue)).fence)
            await _assert_exact(bench)

    async def test_counts_are_exact_after_a_rescue(self, bench: Bench) -> None:
        await bench.lose(await bench.running())
        await _assert_exact(bench)

    async def test_counts_are_exact_after_cancel_replay_and_discard(self, bench: Bench) -> None:
        await bench.put()
        for write in (Bury("crashed"), None):
            task_id = await bench.finish(write) if write else await bench.put()
            for order in (Cancel(task_id), Replay(task_id), Discard(task_id)):
                await bench.write(order)
                await _assert_exact(bench)

    async def test_counts_are_exact_after_a_cascade(self, bench: Bench) -> None:
        group, ids = await fill(bench, 3, seal=False, name="member")
        body = await bench.put(after=After(group, "group"), queue="bodies")
        await bench.put(after=After(body), queue="more")
        await _assert_exact(bench)
        await bench.apply(SealGroup(group), Cancel(ids[1]))
        await _assert_exact(bench)
        await bench.lease(9)
        await _assert_exact(bench)

    async def test_counts_are_exact_after_a_group_was_removed(self, bench: Bench) -> None:
        await fill(bench, 3, seal=False)
        bench.clock.advance(4_000)
        await bench.store.retain(2)
        await _assert_exact(bench)
        await bench.store.retain(10)
        assert tuple(await bench.store.queues()) == ()

    async def test_a_held_task_counts_as_queued_and_is_not_due(self, bench: Bench) -> None:
        await fill(bench, 2, seal=False)
        (count,) = await bench.store.queues()
        assert (dict(count.counts), count.oldest_due) == ({TaskState.QUEUED: 2}, None)

    async def test_a_parked_task_is_due_since_it_was_parked(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(3)
        await bench.apply(Park("unknown task", "registry-1", seconds(300)), fence=delivery.fence)
        parked = bench.clock.now()
        bench.clock.advance(3)
        assert [count.oldest_due for count in await bench.store.queues()] == [parked]
        assert (await bench.record(delivery.fence.task_id)).due_at == parked

    async def test_a_queue_and_a_name_without_a_record_are_not_told(self, bench: Bench) -> None:
        await bench.apply(Cancel(await bench.put(queue="once", name="once", result_ttl=0)))
        assert await bench.store.task_names() == {"once": 1}
        bench.clock.advance(61)
        assert await bench.store.retain(10) == 1
        assert tuple(await bench.store.queues()) == ()
        assert await bench.store.task_names() == {}

    async def test_counts_are_the_same_at_every_handle(self, bench: Bench, other: Store) -> None:
        await bench.put(queue="a")
        await bench.apply(SUCCESS, fence=(await bench.running()).fence)
        assert await other.queues() == await bench.store.queues()
        assert await other.task_names() == await bench.store.task_names()
