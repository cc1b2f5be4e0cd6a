"""Looking: records, results, pages, counts."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Bury, Cancel, Release, Report, Settle
from stem.contracts.queries import StoredResult, TaskFilter
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, seconds

__all__ = ["QueriesContract"]

ERROR = Failure("ValueError", "no", "Traceback ...")


async def _found(bench: Bench, where: TaskFilter) -> set[str]:
    page = await bench.store.list_tasks(where, limit=100)
    assert page.after is None
    return {record.id for record in page.records}


class QueriesContract(Contract):
    """`Queries`."""

    async def test_now_is_the_stores_clock(self, bench: Bench) -> None:
        before = await bench.store.now()
        bench.clock.advance(5)
        assert await bench.store.now() == before + seconds(5)

    async def test_get_gives_the_records_of_those_ids_that_are_known(self, bench: Bench) -> None:
        first, second = await bench.put(), await bench.put()
        records = await bench.store.get([second, "nobody", first])
        assert {task_id: record.id for task_id, record in records.items()} == {first: first, second: second}
        assert await bench.store.get([]) == {}

    async def test_many_ids_may_be_asked_for_at_once(self, bench: Bench) -> None:
        task_id = await bench.put()
        ids = [*(f"nobody-{number}" for number in range(3_000)), task_id]
        assert set(await bench.store.get(ids)) == {task_id}
        assert set(await bench.store.results(ids)) == {task_id}

    async def test_results_tell_how_those_of_the_ids_stand_that_are_known(self, bench: Bench) -> None:
        good, bad = await bench.running(), await bench.running()
        await bench.apply(SUCCESS, fence=good.fence)
        await bench.apply(Bury("crashed", ERROR), fence=bad.fence)
        waiting = await bench.put()
        found = await bench.store.results([good.fence.task_id, bad.fence.task_id, waiting, "nobody"])
        assert found == {
            good.fence.task_id: StoredResult(TaskState.SUCCEEDED, b'"done"'),
            bad.fence.task_id: StoredResult(TaskState.FAILED, None, ERROR),
            waiting: StoredResult(TaskState.QUEUED),
        }

    async def test_a_result_that_was_ignored_says_so(self, bench: Bench) -> None:
        delivery = await bench.running(ignore_result=True)
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(10 * 86_400)
        found = (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id]
        assert (found.state, found.result, found.ignored, found.expired) == (TaskState.SUCCEEDED, None, True, False)

    async def test_a_result_is_expired_when_its_time_is_over(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=seconds(10))
        await bench.apply(SUCCESS, fence=delivery.fence)
        bench.clock.advance(9)
        assert not (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id].expired
        bench.clock.advance(1)
        found = (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id]
        assert (found.expired, found.result) == (True, None)

    async def test_an_empty_result_is_a_result(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Settle(TaskEvent.SUCCEEDED, result=b""), fence=delivery.fence)
        assert (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id].result == b""

    async def test_a_listing_shows_the_newest_publication_first(self, bench: Bench) -> None:
        ids: list[str] = []
        for _ in range(5):
            ids.append(await bench.put())
            bench.clock.advance(1)
        page = await bench.store.list_tasks(TaskFilter(), limit=10)
        assert [record.id for record in page.records] == ids[::-1]
        assert page.after is None

    async def test_all_conditions_of_a_filter_hold(self, bench: Bench) -> None:
        wanted = await bench.put(queue="mail", name="a", tags=("x", "y"))
        await bench.put(queue="mail", name="b", tags=("x",))
        await bench.put(name="a", tags=("xy",))
        assert await _found(bench, TaskFilter(queue="mail", name="a", tag="x")) == {wanted}
        assert len(await _found(bench, TaskFilter(tag="x"))) == 2
        assert len(await _found(bench, TaskFilter(queue="mail"))) == 2
        assert len(await _found(bench, TaskFilter(name="a"))) == 2
        assert len(await _found(bench, TaskFilter())) == 3

    async def test_a_filter_by_states(self, bench: Bench) -> None:
        running = (await bench.running()).fence.task_id
        cancelled = await bench.put()
        await bench.apply(Cancel(cancelled))
        waiting = await bench.put()
        assert await _found(bench, TaskFilter(states=frozenset({TaskState.RUNNING}))) == {running}
        either = frozenset({TaskState.QUEUED, TaskState.CANCELLED})
        assert await _found(bench, TaskFilter(states=either)) == {waiting, cancelled}
        assert await _found(bench, TaskFilter(states=frozenset())) == set()

    async def test_a_filter_by_lineage_finds_the_root_and_what_came_of_it(self, bench: Bench) -> None:
        root = await bench.put()
        child = await bench.put(root=root, parent=root)
        await bench.put()
        assert await _found(bench, TaskFilter(root=root)) == {root, child}

    async def test_a_filter_by_worker(self, bench: Bench) -> None:
        ids = [await bench.put(), await bench.put()]
        await bench.lease(1, worker="worker-7")
        await bench.lease(1, worker="worker-8")
        assert await _found(bench, TaskFilter(worker="worker-8")) == {ids[1]}

    async def test_a_filter_by_time_compares_with_the_time_of_publication(self, bench: Bench) -> None:
        ids: list[str] = []
        start = bench.clock.now()
        for _ in range(3):
            ids.append(await bench.put(delay=seconds(60)))
            bench.clock.advance(10)
        assert await _found(bench, TaskFilter(since=start + seconds(5))) == {ids[1], ids[2]}
        assert await _found(bench, TaskFilter(until=start + seconds(15))) == {ids[0], ids[1]}
        assert await _found(bench, TaskFilter(since=start + seconds(5), until=start + seconds(15))) == {ids[1]}

    async def test_dead_shows_only_what_is_in_the_dead_letters(self, bench: Bench) -> None:
        buried, done = await bench.running(), await bench.running()
        await bench.apply(Bury("crashed"), fence=buried.fence)
        await bench.apply(SUCCESS, fence=done.fence)
        await bench.put()
        assert await _found(bench, TaskFilter(dead=True)) == {buried.fence.task_id}

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11])
    async def test_going_through_all_pages_shows_every_task_exactly_once(self, bench: Bench, size: int) -> None:
        ids = [await bench.put() for _ in range(10)]
        assert await _walk(bench, size) == ids[::-1]

    async def test_going_through_all_pages_while_tasks_come_and_end_shows_what_existed_throughout_exactly_once(
        self, bench: Bench
    ) -> None:
        ids = [await bench.put() for _ in range(12)]
        seen = await _walk(bench, 3, disturb=True)
        assert [task_id for task_id in seen if task_id in ids] == ids[::-1]
        assert len(seen) == len(set(seen))

    async def test_every_queue_that_has_a_record_is_counted_by_name(self, bench: Bench) -> None:
        await bench.put(queue="mail")
        await bench.put(queue="mail")
        delivery = await bench.running(queue="billing")
        await bench.apply(SUCCESS, fence=delivery.fence)
        await bench.put(queue="billing", delay=seconds(5))
        found = {count.queue: dict(count.counts) for count in await bench.store.queues()}
        assert found == {"billing": {TaskState.SUCCEEDED: 1, TaskState.QUEUED: 1}, "mail": {TaskState.QUEUED: 2}}
        assert [count.queue for count in await bench.store.queues()] == ["billing", "mail"]

    async def test_oldest_due_is_that_of_those_that_wait_and_are_due(self, bench: Bench) -> None:
        start = bench.clock.now()
        await bench.put(delay=seconds(5))
        await bench.put(delay=seconds(3))
        assert [count.oldest_due for count in await bench.store.queues()] == [None]
        bench.clock.advance(10)
        assert [count.oldest_due for count in await bench.store.queues()] == [start + seconds(3)]
        await bench.lease(2)
        assert [count.oldest_due for count in await bench.store.queues()] == [None]

    async def test_every_task_name_that_has_a_record_is_counted(self, bench: Bench) -> None:
        for name in ("b", "a", "b"):
            await bench.put(name=name)
        assert await bench.store.task_names() == {"a": 1, "b": 2}

    async def test_an_empty_store_answers_with_nothing(self, bench: Bench) -> None:
        assert (await bench.store.list_tasks(TaskFilter(), limit=5)).records == ()
        assert tuple(await bench.store.queues()) == ()
        assert await bench.store.task_names() == {}

    async def test_no_answer_changes_anything(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Report(Progress(1, 0.5)), fence=delivery.fence)
        before = await bench.everything()
        for _ in range(2):
            await bench.store.results(list(before))
            await bench.store.queues()
            await bench.store.task_names()
            await bench.store.suspects()
        assert await bench.everything() == before
        await bench.apply(Release(), fence=delivery.fence)


async def _walk(bench: Bench, size: int, *, disturb: bool = False) -> list[str]:
    """All pages, one after the other; `disturb` publishes and cancels between them."""
    seen: list[str] = []
    after: str | None = None
    for _ in range(50):
        page = await bench.store.list_tasks(TaskFilter(), limit=size, after=after)
        assert len(page.records) <= size
        seen += [record.id for record in page.records]
        if page.after is None:
            break
        after = page.after
        if disturb:
            await bench.apply(Cancel(seen[-1]))
            await bench.put()
    return seen
