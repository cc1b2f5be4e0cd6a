"""What one script call takes at most, and that more than that is done all the same."""

from __future__ import annotations

from stem.adapters.redis import RedisStore
from stem.adapters.redis.commit import in_batches
from stem.contracts.changes import APPLIED, Cancel, Change
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Renewal
from stem.testing.contracts import Bench, publish

MIB = 1024 * 1024


def test_a_batch_is_cut_by_count_and_by_bytes_and_keeps_its_order() -> None:
    small = [Change((Cancel(f"task-{number}"),)) for number in range(1_201)]
    assert [len(batch) for batch in in_batches(small)] == [500, 500, 201]
    assert [change for batch in in_batches(small) for change in batch] == small
    large = [Change((publish(payload=b"x" * 7 * MIB),)) for _ in range(5)]
    assert [len(batch) for batch in in_batches(large)] == [2, 2, 1]
    assert list(in_batches([])) == []


async def test_more_than_one_call_takes_is_committed_leased_renewed_listed_and_deleted(
    bench: Bench, store: RedisStore
) -> None:
    changes = [Change((publish(result_ttl=0),)) for _ in range(1_200)]
    assert await store.commit(changes) == [APPLIED] * 1_200
    first = await bench.lease(1_500)
    assert (len(first.deliveries), first.next_due) == (1_000, 0)
    second = await bench.lease(1_500)
    assert (len(second.deliveries), second.next_due) == (200, None)
    fences = [delivery.fence for answer in (first, second) for delivery in answer.deliveries]
    keeper = store.keeper()
    assert len(keeper.renew([Renewal(fence, 10_000_000) for fence in fences])) == 1_200
    keeper.close()
    assert len((await store.list_tasks(TaskFilter(), limit=1_100)).records) == 1_100
    assert len(await store.get([fence.task_id for fence in fences])) == 1_200
    bench.clock.advance(11)
    taken = await bench.take(*await store.suspects())
    assert len(taken) >= 1_000
    await store.commit([Change((Cancel(fence.task_id),)) for fence in fences])


async def test_more_than_a_call_moves_becomes_due_over_several_calls(bench: Bench, store: RedisStore) -> None:
    await store.commit([Change((publish(delay=1_000_000),)) for _ in range(1_200)])
    bench.clock.advance(1)
    given: list[str] = []
    for _ in range(4):
        answer = await bench.lease(1_000)
        given += [delivery.fence.task_id for delivery in answer.deliveries]
    assert len(set(given)) == len(given) == 1_200
    assert (await bench.lease(1_000)).next_due is None


async def test_ended_tasks_are_deleted_in_parts(bench: Bench, store: RedisStore) -> None:
    writes = [publish(result_ttl=0) for _ in range(1_300)]
    await store.commit([Change((write,)) for write in writes])
    await store.commit([Change((Cancel(write.envelope.id),)) for write in writes])
    bench.clock.advance(61)
    assert [await store.retain(limit) for limit in (700, 5_000, 5_000)] == [700, 600, 0]
    assert await store.queues() == ()
