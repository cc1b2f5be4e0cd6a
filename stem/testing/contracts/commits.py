"""Commit: whole or not at all, once, in order, without harm to neighbours."""

from __future__ import annotations

import asyncio

from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Applied,
    Bury,
    Cancel,
    Change,
    Duplicate,
    RefusalCode,
    Refused,
    Release,
    Replay,
    Report,
    Settle,
    UniqueKey,
    Write,
)
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Store
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, SUCCESS, Bench, publish, seconds

__all__ = ["CommitContract"]

ERROR = Failure("ValueError", "no", "Traceback ...", "STEM-E041")


class CommitContract(Contract):
    """`Store.commit`: order, neighbours, refusals."""

    async def test_what_one_handle_commits_another_sees(self, bench: Bench, other: Store) -> None:
        task_id = await bench.put()
        assert set(await other.get([task_id])) == {task_id}

    async def test_nothing_of_a_fenced_change_is_written(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(SUCCESS, fence=delivery.fence)
        before = await bench.everything()
        follow_up = publish()
        assert await bench.write(Bury("late"), follow_up, fence=delivery.fence, number=2) == FENCED
        assert await bench.everything() == before

    async def test_several_publishes_in_one_change_are_all_there(self, bench: Bench) -> None:
        writes = [publish() for _ in range(3)]
        await bench.apply(*writes)
        assert set(await bench.everything()) == {write.envelope.id for write in writes}

    async def test_verdicts_are_in_the_order_of_the_changes(self, bench: Bench) -> None:
        good, unknown = Change((publish(),)), Change((Cancel("nobody"),))
        verdicts = await bench.store.commit([good, unknown, good, unknown])
        assert [type(verdict).__name__ for verdict in verdicts] == ["Applied", "Refused", "Applied", "Refused"]

    async def test_what_was_committed_stays_when_a_handle_is_closed_twice(self, bench: Bench, other: Store) -> None:
        task_id = await bench.put()
        await bench.store.aclose()
        await bench.store.aclose()
        assert set(await other.get([task_id])) == {task_id}

    async def test_a_store_may_be_closed_twice(self, store: Store) -> None:
        await store.aclose()
        await store.aclose()

    async def test_an_empty_batch_has_no_verdicts(self, bench: Bench) -> None:
        assert await bench.store.commit([]) == []

    async def test_a_change_that_is_too_large_is_refused_and_its_neighbours_are_applied(self, bench: Bench) -> None:
        most = bench.store.capabilities.max_value
        large = publish(payload=b'"' + b"x" * most + b'"')
        first, last = publish(), publish()
        verdicts = await bench.store.commit([Change((first,)), Change((large,)), Change((last,))])
        assert [verdicts[0], verdicts[2]] == [APPLIED, APPLIED]
        assert isinstance(verdicts[1], Refused)
        assert verdicts[1].code == RefusalCode.TOO_LARGE
        assert set(await bench.everything()) == {first.envelope.id, last.envelope.id}

    async def test_a_result_that_is_too_large_is_refused_and_can_be_decided_again(self, bench: Bench) -> None:
        delivery = await bench.running()
        large = Settle(TaskEvent.SUCCEEDED, result=b"x" * (bench.store.capabilities.max_value + 1))
        verdict = await bench.write(large, fence=delivery.fence)
        assert isinstance(verdict, Refused)
        assert verdict.code == RefusalCode.TOO_LARGE
        await bench.apply(Bury("result refused", ERROR), fence=delivery.fence, number=2)

    async def test_a_change_that_is_refused_for_one_write_writes_nothing(self, bench: Bench) -> None:
        follow_up = publish()
        assert isinstance(await bench.write(follow_up, Cancel("nobody")), Refused)
        assert await bench.everything() == {}

    async def test_a_change_with_two_ends_of_one_lease_is_refused(self, bench: Bench) -> None:
        delivery = await bench.running()
        assert isinstance(await bench.write(SUCCESS, Release(), fence=delivery.fence), Refused)
        assert await bench.state(delivery.fence.task_id) is TaskState.RUNNING

    async def test_a_change_that_cancels_or_replays_a_task_twice_is_refused(self, bench: Bench) -> None:
        task_id = await bench.put()
        for writes in ((Cancel(task_id), Cancel(task_id)), (Cancel(task_id), Replay(task_id))):
            assert isinstance(await bench.write(*writes), Refused)
        assert await bench.state(task_id) is TaskState.QUEUED

    async def test_a_write_that_concerns_a_lease_is_refused_without_a_fence(self, bench: Bench) -> None:
        await bench.running()
        writes: tuple[Write, ...] = (SUCCESS, START, Release(), Report(Progress(1, 1.0)))
        assert [type(await bench.write(write)) for write in writes] == [Refused] * 4

    async def test_a_settle_with_an_event_that_is_no_end_is_refused(self, bench: Bench) -> None:
        delivery = await bench.running()
        for event in (TaskEvent.RETRIED, TaskEvent.LEASED, TaskEvent.REPLAYED):
            verdict = await bench.write(Settle(event), fence=delivery.fence)
            assert isinstance(verdict, Refused)
            assert verdict.code == RefusalCode.INVALID_TRANSITION
        assert await bench.state(delivery.fence.task_id) is TaskState.RUNNING

    async def test_hostile_text_is_only_text(self, bench: Bench) -> None:
        text = """'; DROP TABLE tasks; -- " %s {0} $1 \\ \n 🌱 ٣"""
        task_id = await bench.put(name=text, queue=text, tags=(text,), root=text, unique=UniqueKey(text))
        assert await bench.write(publish(unique=UniqueKey(text))) == Duplicate(task_id)
        delivery = await bench.delivery(queues={text: 1}, worker=text, fingerprint=text, leases={text: seconds(9)})
        failure = Failure(text, f"{text}\0", text, text)
        await bench.apply(Report(Progress(1, 1.0, None, text)), Bury(text, failure), fence=delivery.fence)
        record = await bench.record(task_id)
        assert (record.name, record.queue, record.tags, record.root) == (text, text, (text,), text)
        assert (record.bury_reason, record.error, record.worker) == (text, failure, text)
        where = TaskFilter(queue=text, name=text, tag=text, root=text, worker=text)
        assert len((await bench.store.list_tasks(where, limit=5)).records) == 1

    async def test_text_that_no_encoding_takes_harms_no_neighbour(self, bench: Bench) -> None:
        delivery, neighbour = await bench.running(), await bench.running()
        odd = Settle(TaskEvent.FAILED, error=Failure("OSError", "no such file: \udcff"))
        changes = [Change((odd,), delivery.fence), Change((SUCCESS,), neighbour.fence), Change((publish(),))]
        verdicts = await bench.store.commit(changes)
        assert isinstance(verdicts[0], Applied | Refused)
        assert verdicts[1:] == [APPLIED, APPLIED]
        assert (await bench.state(delivery.fence.task_id)).is_terminal is isinstance(verdicts[0], Applied)

    async def test_a_publish_and_what_follows_it_may_share_a_batch(self, bench: Bench) -> None:
        write = publish()
        cancel, replay = Change((Cancel(write.envelope.id),)), Change((Replay(write.envelope.id),))
        verdicts = await bench.store.commit([Change((write,)), cancel, replay, Change((write,)), cancel])
        assert verdicts == [APPLIED] * 5
        assert await bench.state(write.envelope.id) is TaskState.CANCELLED

    async def test_commits_at_the_same_time_are_all_applied(self, bench: Bench) -> None:
        batches = [[Change((publish(),)) for _ in range(10)] for _ in range(10)]
        verdicts = await asyncio.gather(*(bench.store.commit(batch) for batch in batches))
        assert verdicts == [[APPLIED] * 10] * 10
        assert len(await bench.everything()) == 100
