"""What may not start stands aside: out of the way of others, and back in its place when its time has come."""

from __future__ import annotations

from itertools import pairwise

from stem.contracts.changes import APPLIED, Cancel, Park, Release, Replay, Reschedule
from stem.contracts.limits import MOST_MOVED
from stem.contracts.queries import TaskFilter
from stem.tasks.links import After
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.allowances import allow, limited, occupy, pass_time, publish_many
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds
from stem.testing.contracts.lineups import fill, states

__all__ = ["AsideContract"]

MANY = 2 * MOST_MOVED + 50


class AsideContract(Contract):
    """The lines aside of `Limits`."""

    async def test_what_stands_aside_keeps_its_state_and_its_place_and_its_record_says_limited(
        self, bench: Bench
    ) -> None:
        _, (task_id,) = await occupy(bench)
        record = await bench.record(task_id)
        assert record.limited
        assert (record.state, record.due_at, record.published_at) == (TaskState.QUEUED, *(2 * [bench.clock.now()]))
        assert (record.attempt, record.deliveries, record.fence, record.started_at) == (0, 0, 0, None)

    async def test_what_does_not_stand_aside_is_not_limited(self, bench: Bench) -> None:
        end, (waiting,) = await occupy(bench)
        ended = end.fence.task_id if end.fence is not None else ""
        later = await bench.put(delay=seconds(5))
        assert await limited(bench) == {waiting}
        await bench.store.commit([end])
        assert await bench.leased_ids(5) == [waiting]
        assert [(await bench.record(task_id)).limited for task_id in (ended, waiting, later)] == [False] * 3

    async def test_the_keys_of_a_message_are_in_its_record(self, bench: Bench) -> None:
        records = [
            await bench.record(task_id)
            for task_id in (await bench.put(rate_key="é:1", concurrency_key="b" * 300), await bench.put())
        ]
        assert [(record.rate_key, record.concurrency_key) for record in records] == [("é:1", "b" * 300), (None, None)]

    async def test_what_stands_aside_counts_as_waiting(self, bench: Bench) -> None:
        _, ids = await occupy(bench, 3)
        (count,) = await bench.store.queues()
        assert count.counts == {TaskState.RUNNING: 1, TaskState.QUEUED: 3}
        assert count.oldest_due == bench.clock.now()
        page = await bench.store.list_tasks(TaskFilter(states=frozenset({TaskState.QUEUED})), limit=9)
        assert [record.id for record in page.records] == ids[::-1]

    async def test_what_stands_aside_makes_no_call_ask_again(self, bench: Bench) -> None:
        await occupy(bench, 3)
        answer = await bench.lease(5)
        assert (answer.deliveries, answer.next_due) == ((), None)

    async def test_what_may_not_start_keeps_no_place_from_others(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        first, *_ = await publish_many(bench, 20, priority=9)
        other = [await bench.put(name="other") for _ in range(3)]
        assert await bench.leased_ids(3) == [first, *other[:2]]
        assert await bench.leased_ids(3) == other[2:]

    async def test_one_call_moves_so_many_aside_and_says_that_it_should_be_made_again_at_once(
        self, bench: Bench
    ) -> None:
        await allow(bench, concurrency=1)
        await bench.running()
        await publish_many(bench, MANY, priority=9)
        other = await bench.put(name="other")
        counts, given = [0], list[str]()
        while not given:
            answer = await bench.lease(1)
            given = [delivery.fence.task_id for delivery in answer.deliveries]
            assert answer.next_due == (None if given else 0)
            counts.append(len(await limited(bench)))
        assert (given, counts[-1]) == ([other], MANY)
        assert all(after - before <= MOST_MOVED for before, after in pairwise(counts))

    async def test_one_call_lets_back_as_many_as_may_start(self, bench: Bench) -> None:
        end, _ = await occupy(bench, 5)
        urgent = await bench.put(name="other", priority=9)
        await bench.store.commit([end])
        assert await bench.leased_ids(1) == [urgent]
        assert len(await limited(bench)) == 4

    async def test_one_call_lets_so_many_back_and_no_message_is_forgotten(self, bench: Bench) -> None:
        end, ids = await occupy(bench)
        ids += await publish_many(bench, MANY)
        while (await bench.lease(1)).next_due == 0:
            pass
        await allow(bench)
        assert await bench.leased_ids(1) == ids[:1]
        assert len(ids) - MOST_MOVED <= len(await limited(bench)) < len(ids)
        await bench.store.commit([end])
        assert await bench.finish_all() == ids[1:]

    async def test_what_is_let_back_has_its_place_by_priority_due_time_and_order_of_publication(
        self, bench: Bench
    ) -> None:
        end, (first,) = await occupy(bench)
        bench.clock.advance(1)
        second, third = [await bench.put() for _ in range(2)]
        high = await bench.put(priority=5)
        assert await bench.leased_ids(5) == []
        behind = await bench.put(name="other")
        above = await bench.put(name="other", priority=7)
        await allow(bench)
        await bench.store.commit([end])
        assert await bench.leased_ids(9) == [above, high, first, second, third, behind]

    async def test_of_what_stands_aside_the_first_starts_first(self, bench: Bench) -> None:
        end, (first,) = await occupy(bench)
        bench.clock.advance(1)
        late = await bench.put()
        high = await bench.put(priority=5)
        assert await bench.leased_ids(5) == []
        await bench.store.commit([end])
        assert await bench.finish_all() == [high, first, late]

    async def test_what_comes_back_to_a_line_aside_has_its_place_in_it(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        delivery = await bench.running()
        bench.clock.advance(1)
        later = await bench.put()
        assert await bench.leased_ids(5) == []
        urgent = await bench.put(priority=9)
        await bench.apply(Release(), fence=delivery.fence)
        assert await bench.finish_all() == [urgent, delivery.fence.task_id, later]

    async def test_a_delayed_message_is_not_moved_aside_before_it_is_due(self, bench: Bench) -> None:
        end, _ = await occupy(bench, 0)
        later = await bench.put(delay=seconds(9))
        assert (await bench.lease(5)).next_due == seconds(9)
        assert await limited(bench) == set()
        bench.clock.advance(9)
        assert await bench.leased_ids(5) == []
        assert await limited(bench) == {later}
        await bench.store.commit([end])
        assert await bench.leased_ids(5) == [later]

    async def test_what_retries_stands_aside_as_retrying(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        delivery = await bench.running()
        await bench.apply(Reschedule(seconds(2), Failure("E", "again")), fence=delivery.fence)
        holder = await bench.running()
        bench.clock.advance(2)
        assert await bench.leased_ids(5) == []
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.attempt, record.limited) == (TaskState.RETRYING, 1, True)
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.leased_ids(5) == [delivery.fence.task_id]

    async def test_a_cancel_ends_what_stands_aside(self, bench: Bench) -> None:
        end, (first, second, third) = await occupy(bench, 3)
        await bench.apply(Cancel(first))
        record = await bench.record(first)
        assert (record.state, record.limited, record.due_at) == (TaskState.CANCELLED, False, None)
        await bench.store.commit([end])
        assert await bench.finish_all() == [second, third]

    async def test_when_all_that_stood_aside_is_cancelled_nothing_is_left_of_it(self, bench: Bench) -> None:
        end, ids = await occupy(bench, 2)
        await bench.apply(*(Cancel(task_id) for task_id in ids))
        await bench.store.commit([end])
        answer = await bench.lease(5)
        assert (answer.deliveries, answer.next_due) == ((), None)
        task_id = await bench.put()
        assert await bench.leased_ids(5) == [task_id]

    async def test_what_is_replayed_keeps_its_keys_and_asks_again(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        holder = await bench.put(concurrency_key="a")
        ids = [await bench.put(concurrency_key=key) for key in ("a", "b")]
        assert await bench.leased_ids(5) == [holder, ids[1]]
        await bench.apply(Cancel(ids[0]))
        await bench.apply(Replay(ids[0]))
        assert await bench.leased_ids(5) == []
        record = await bench.record(ids[0])
        assert (record.concurrency_key, record.limited, record.generation) == ("a", True, 1)

    async def test_what_stands_aside_is_paused_with_its_queue(self, bench: Bench) -> None:
        await allow(bench, "1/m")
        await publish_many(bench, 2)
        await bench.finish()
        due = (await bench.lease(5)).next_due or 0
        await bench.store.pause("default")
        assert (await bench.lease(5)).next_due is None
        pass_time(bench, due)
        assert (await bench.lease(5)).next_due is None
        assert len(await limited(bench)) == 1
        await bench.store.resume("default")
        assert len(await bench.leased_ids(5)) == 1

    async def test_what_is_parked_and_stands_aside_comes_back_as_parked(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        parked = await bench.running()
        await bench.apply(Park("unknown task", "registry-1", seconds(300)), fence=parked.fence)
        holder = await bench.running()
        assert await bench.leased_ids(5, fingerprint="registry-2") == []
        record = await bench.record(parked.fence.task_id)
        assert (record.state, record.limited, record.refused_by) == (TaskState.PARKED, True, ("registry-1",))
        await bench.apply(SUCCESS, fence=holder.fence)
        assert await bench.leased_ids(5) == []
        assert await bench.leased_ids(5, fingerprint="registry-2") == [parked.fence.task_id]

    async def test_what_is_parked_does_not_start_before_what_stands_behind_one_that_may_not(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        parked = await bench.running(name="other")
        await bench.apply(Park("unknown task", "registry-1", seconds(300)), fence=parked.fence)
        await bench.running()
        await bench.put(priority=9)
        urgent = await bench.put(name="other", priority=5)
        assert await bench.leased_ids(1, fingerprint="registry-2") == [urgent]

    async def test_a_held_message_stands_aside_when_it_is_let_go(self, bench: Bench) -> None:
        end, _ = await occupy(bench, 0)
        first = await bench.put(name="other")
        second = await bench.put(after=After(first))
        assert await bench.finish() == first
        assert await bench.leased_ids(5) == []
        assert await limited(bench) == {second}
        await bench.store.commit([end])
        assert await bench.leased_ids(5) == [second]

    async def test_what_waits_for_a_cancelled_one_that_stood_aside_is_cancelled(self, bench: Bench) -> None:
        _, (first,) = await occupy(bench)
        second = await bench.put(after=After(first))
        await bench.apply(Cancel(first))
        assert await bench.state(second) is TaskState.CANCELLED

    async def test_members_of_a_closed_group_that_stand_aside_are_cancelled(self, bench: Bench) -> None:
        await allow(bench, concurrency=1)
        _, ids = await fill(bench, 3, "any")
        delivery = (await bench.lease(3)).deliveries[0]
        await bench.apply(SUCCESS, fence=delivery.fence)
        await bench.store.retain(100)
        assert await bench.leased_ids(5) == []
        assert await states(bench, *ids) == [TaskState.SUCCEEDED, *(2 * [TaskState.CANCELLED])]

    async def test_members_of_a_closed_group_that_were_let_back_are_cancelled_and_use_nothing(
        self, bench: Bench
    ) -> None:
        await allow(bench, concurrency=1)
        await fill(bench, 3, "any")
        delivery = (await bench.lease(3)).deliveries[0]
        task_id = await bench.put()
        assert await bench.leased_ids(5) == []
        await bench.apply(SUCCESS, fence=delivery.fence)
        given: list[str] = []
        for _ in range(4):
            given += await bench.leased_ids(5)
        assert given == [task_id]

    async def test_what_expires_while_it_stands_aside_says_so_when_it_is_given(self, bench: Bench) -> None:
        end, _ = await occupy(bench, 0)
        task_id = await bench.put(expires=seconds(5))
        assert await bench.leased_ids(5) == []
        bench.clock.advance(5)
        await bench.store.commit([end])
        delivery = await bench.delivery()
        assert (delivery.fence.task_id, delivery.expired) == (task_id, True)

    async def test_what_stands_aside_and_is_published_again_is_known(self, bench: Bench) -> None:
        end, _ = await occupy(bench, 0)
        write = publish()
        await bench.apply(write)
        assert await bench.leased_ids(5) == []
        assert await bench.write(write) == APPLIED
        await bench.store.commit([end])
        assert await bench.leased_ids(5) == [write.envelope.id]
