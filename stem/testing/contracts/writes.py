"""Writes: what each of them does to a task."""

from __future__ import annotations

from stem.contracts.changes import (
    Bury,
    Publish,
    Release,
    Report,
    Reschedule,
    Settle,
)
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, SUCCESS, Bench, make_envelope, publish, seconds

__all__ = ["WritesContract"]

ERROR = Failure("ValueError", "no", "Traceback ...", "STEM-E041")


class WritesContract(Contract):
    """The meaning of each write in `stem.contracts.changes`."""

    async def test_a_publish_is_visible_when_commit_returns(self, bench: Bench) -> None:
        task_id = await bench.put(name="billing.charge", priority=7, tags=("a",), root="r", parent="p")
        record = await bench.record(task_id)
        assert (record.id, record.name, record.queue, record.priority) == (task_id, "billing.charge", "default", 7)
        assert (record.root, record.parent, record.tags) == ("r", "p", ("a",))
        assert record.state is TaskState.QUEUED
        assert (record.attempt, record.generation, record.deliveries, record.fence) == (0, 0, 0, 0)

    async def test_the_times_of_a_record_count_from_the_moment_the_store_accepts_it(self, bench: Bench) -> None:
        task_id = await bench.put(delay=seconds(5), expires=seconds(60))
        record, now = await bench.record(task_id), bench.clock.now()
        assert (record.published_at, record.due_at) == (now, now + seconds(5))
        assert record.expires_at == now + seconds(60)

    async def test_an_envelope_comes_back_byte_for_byte(self, bench: Bench) -> None:
        write = publish(payload='{"name": "Jürgen 🌱 \\u0000"}'.encode())
        await bench.apply(write)
        assert (await bench.record(write.envelope.id)).envelope == write.body
        assert (await bench.delivery()).body == write.body

    async def test_bytes_that_are_no_envelope_are_kept_and_leased(self, bench: Bench) -> None:
        write = Publish(envelope=make_envelope(), body=b"\x00\xff not json")
        await bench.apply(write)
        assert (await bench.delivery()).body == b"\x00\xff not json"

    async def test_a_message_becomes_visible_after_its_delay(self, bench: Bench) -> None:
        task_id = await bench.put(delay=seconds(5))
        bench.clock.advance(4.9)
        assert await bench.leased_ids() == []
        bench.clock.advance(0.1)
        assert await bench.leased_ids() == [task_id]

    async def test_a_message_becomes_visible_at_not_before(self, bench: Bench) -> None:
        task_id = await bench.put(not_before=bench.clock.now() + seconds(3))
        assert await bench.leased_ids() == []
        bench.clock.advance(3)
        assert await bench.leased_ids() == [task_id]

    async def test_a_not_before_in_the_past_is_due_at_once(self, bench: Bench) -> None:
        task_id = await bench.put(not_before=bench.clock.now() - seconds(3))
        assert await bench.leased_ids() == [task_id]

    async def test_a_publish_is_idempotent_by_envelope_id_in_any_state(self, bench: Bench) -> None:
        write = publish()
        await bench.apply(write)
        before = await bench.record(write.envelope.id)
        await bench.apply(write)
        assert await bench.record(write.envelope.id) == before
        delivery = await bench.delivery()
        await bench.apply(write)
        assert await bench.leased_ids() == []
        await bench.apply(SUCCESS, fence=delivery.fence)
        await bench.apply(write)
        assert await bench.state(write.envelope.id) is TaskState.SUCCEEDED

    async def test_a_settle_records_state_result_and_times(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=seconds(100))
        bench.clock.advance(1)
        await bench.apply(SUCCESS, fence=delivery.fence)
        record, now = await bench.record(delivery.fence.task_id), bench.clock.now()
        assert (record.state, record.result, record.error) == (TaskState.SUCCEEDED, b'"done"', None)
        assert (record.finished_at, record.result_until) == (now, now + seconds(100))
        assert (record.lease_until, record.due_at) == (None, None)

    async def test_a_result_comes_back_byte_for_byte(self, bench: Bench) -> None:
        delivery = await bench.running()
        result = bytes(range(256)) * 4 + "Jürgen 🌱".encode()
        await bench.apply(Settle(TaskEvent.SUCCEEDED, result=result), fence=delivery.fence)
        assert (await bench.record(delivery.fence.task_id)).result == result
        assert (await bench.store.results([delivery.fence.task_id]))[delivery.fence.task_id].result == result

    async def test_a_settle_records_the_error_as_it_was(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Settle(TaskEvent.FAILED, error=ERROR), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.error, record.result) == (TaskState.FAILED, ERROR, None)

    async def test_an_ignored_result_is_not_stored(self, bench: Bench) -> None:
        delivery = await bench.running(ignore_result=True)
        await bench.apply(SUCCESS, fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.result, record.result_until) == (TaskState.SUCCEEDED, None, None)

    async def test_a_start_is_recorded_and_keeps_the_lease(self, bench: Bench) -> None:
        delivery = await bench.running()
        bench.clock.advance(1)
        await bench.apply(START, fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.started_at) == (TaskState.RUNNING, bench.clock.now())
        await bench.apply(SUCCESS, fence=delivery.fence)

    async def test_a_rescheduled_message_comes_back_after_its_delay_with_one_attempt_more_used(
        self, bench: Bench
    ) -> None:
        delivery = await bench.running()
        await bench.apply(Reschedule(seconds(7), ERROR), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.attempt, record.error) == (TaskState.RETRYING, 1, ERROR)
        bench.clock.advance(6.9)
        assert await bench.leased_ids() == []
        bench.clock.advance(0.1)
        again = await bench.delivery()
        assert (again.attempt, again.deliveries, again.body) == (1, 2, delivery.body)

    async def test_a_released_message_goes_back_and_no_attempt_is_used(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Release(seconds(2)), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.attempt) == (TaskState.QUEUED, 0)
        assert await bench.leased_ids() == []
        bench.clock.advance(2)
        assert (await bench.delivery()).attempt == 0

    async def test_a_buried_task_is_failed_with_its_reason_and_evidence(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Bury("crashed", ERROR), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.bury_reason, record.error) == (TaskState.FAILED, "crashed", ERROR)
        assert record.finished_at == bench.clock.now()

    async def test_a_report_is_recorded_and_the_latest_sequence_wins(self, bench: Bench) -> None:
        delivery = await bench.running()
        for report in (
            Progress(1, 1.0),
            Progress(3, 3.5, 10.0, "half", '{"a": [1]}'),
            Progress(2, 2.0),
            Progress(3, 9.0),
        ):
            await bench.apply(Report(report), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert record.progress == Progress(3, 3.5, 10.0, "half", '{"a": [1]}')
        assert record.state is TaskState.RUNNING

    async def test_under_a_new_lease_the_reports_are_counted_anew(self, bench: Bench) -> None:
        first = await bench.running()
        await bench.apply(Report(Progress(7, 0.7)), Release(), fence=first.fence)
        assert (await bench.record(first.fence.task_id)).progress == Progress(7, 0.7)
        second = await bench.delivery()
        await bench.apply(Report(Progress(1, 0.1)), fence=second.fence)
        assert (await bench.record(first.fence.task_id)).progress == Progress(1, 0.1)
        rescued = await bench.lose(second)
        await bench.apply(Report(Progress(1, 0.2)), fence=rescued.fence)
        assert (await bench.record(first.fence.task_id)).progress == Progress(1, 0.2)

    async def test_follow_ups_are_published_by_the_change_that_settles(self, bench: Bench) -> None:
        delivery = await bench.running()
        first, second = publish(), publish(queue="mail")
        await bench.apply(SUCCESS, first, second, fence=delivery.fence)
        assert set(await bench.everything()) == {delivery.fence.task_id, first.envelope.id, second.envelope.id}

    async def test_large_numbers_are_kept(self, bench: Bench) -> None:
        delivery = await bench.running(result_ttl=seconds(10**11), max_retries=10_000)
        await bench.apply(Report(Progress(2**53, 1e300, 1e-300)), fence=delivery.fence)
        record = await bench.record(delivery.fence.task_id)
        assert record.progress == Progress(2**53, 1e300, 1e-300)
        await bench.apply(SUCCESS, fence=delivery.fence)
