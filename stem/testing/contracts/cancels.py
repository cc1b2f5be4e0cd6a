"""Cancel and replay: both unfenced, both decided by the state."""

from __future__ import annotations

import pytest

from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Cancel,
    Change,
    Park,
    RefusalCode,
    Refused,
    Release,
    Replay,
    Report,
    Reschedule,
    Settle,
    Verdict,
    Write,
)
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, label, seconds

__all__ = ["CancelReplayContract"]

ERROR = Failure("ValueError", "no")
BACK: tuple[Write, ...] = (Release(), Reschedule(0, ERROR), Park("unknown task", "registry-9", seconds(300)))
REPLAYABLE: tuple[Write, ...] = (
    Settle(TaskEvent.FAILED, error=ERROR),
    Settle(TaskEvent.CANCELLED),
    Settle(TaskEvent.EXPIRED),
    Bury("crashed", ERROR),
)


def _code(verdict: Verdict) -> str:
    assert isinstance(verdict, Refused)
    return verdict.code


class CancelReplayContract(Contract):
    """`Cancel` and `Replay`."""

    async def test_a_cancel_ends_what_waits(self, bench: Bench) -> None:
        task_id = await bench.put(result_ttl=seconds(100))
        bench.clock.advance(1)
        await bench.apply(Cancel(task_id))
        record, now = await bench.record(task_id), bench.clock.now()
        assert (record.state, record.error) == (TaskState.CANCELLED, None)
        assert (record.finished_at, record.result_until, record.due_at) == (now, now + seconds(100), None)
        assert await bench.leased_ids() == []

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_a_cancel_ends_what_went_back(self, bench: Bench, back: Write) -> None:
        delivery = await bench.running()
        await bench.apply(back, fence=delivery.fence)
        await bench.apply(Cancel(delivery.fence.task_id))
        assert await bench.state(delivery.fence.task_id) is TaskState.CANCELLED
        assert await bench.leased_ids() == []

    async def test_a_cancel_ends_what_is_not_due_yet(self, bench: Bench) -> None:
        task_id = await bench.put(delay=seconds(60))
        await bench.apply(Cancel(task_id))
        bench.clock.advance(61)
        assert await bench.leased_ids() == []

    async def test_a_cancel_flags_what_runs_and_its_lease_stands(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Cancel(delivery.fence.task_id))
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.cancel_requested, record.terminate_requested) == (TaskState.RUNNING, True, False)
        await bench.apply(Settle(TaskEvent.CANCELLED), fence=delivery.fence)
        assert await bench.state(delivery.fence.task_id) is TaskState.CANCELLED

    async def test_terminate_asks_to_stop_the_attempt_too_and_is_not_taken_back(self, bench: Bench) -> None:
        task_id = (await bench.running()).fence.task_id
        for cancel in (Cancel(task_id), Cancel(task_id, terminate=True), Cancel(task_id)):
            await bench.apply(cancel)
        record = await bench.record(task_id)
        assert (record.cancel_requested, record.terminate_requested) == (True, True)

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_a_flagged_task_that_goes_back_keeps_its_flag(self, bench: Bench, back: Write) -> None:
        delivery = await bench.running()
        await bench.apply(Cancel(delivery.fence.task_id))
        await bench.apply(back, fence=delivery.fence)
        assert (await bench.delivery()).cancel_requested

    @pytest.mark.parametrize("end", [SUCCESS, *REPLAYABLE], ids=label)
    async def test_a_cancel_leaves_what_has_ended(self, bench: Bench, end: Write) -> None:
        delivery = await bench.running()
        await bench.apply(end, fence=delivery.fence)
        before = await bench.record(delivery.fence.task_id)
        bench.clock.advance(1)
        await bench.apply(Cancel(delivery.fence.task_id, terminate=True))
        assert await bench.record(delivery.fence.task_id) == before

    async def test_a_cancel_of_an_unknown_id_is_refused(self, bench: Bench) -> None:
        assert _code(await bench.write(Cancel("nobody"))) == RefusalCode.UNKNOWN_ID

    @pytest.mark.parametrize("end", REPLAYABLE, ids=label)
    async def test_a_replayed_task_is_queued_again_as_its_next_generation(self, bench: Bench, end: Write) -> None:
        delivery = await bench.running()
        await bench.apply(end, fence=delivery.fence)
        bench.clock.advance(1)
        await bench.apply(Replay(delivery.fence.task_id))
        record = await bench.record(delivery.fence.task_id)
        assert (record.state, record.generation) == (TaskState.QUEUED, 1)
        assert (record.finished_at, record.result_until, record.bury_reason) == (None, None, None)
        again = await bench.delivery()
        assert (again.generation, again.body) == (1, delivery.body)

    async def test_a_replay_sets_all_counters_to_zero_but_the_fence(self, bench: Bench) -> None:
        delivery = await bench.lose(await bench.running())
        await bench.apply(Report(Progress(5, 5.0)), Reschedule(0, ERROR), fence=delivery.fence)
        last = await bench.delivery()
        await bench.apply(Bury("crashed", ERROR), fence=last.fence)
        await bench.apply(Replay(last.fence.task_id))
        record = await bench.record(last.fence.task_id)
        assert (record.attempt, record.deliveries, record.crashes, record.lost) == (0, 0, 0, 0)
        assert (await bench.delivery()).fence.counter == last.fence.counter + 1

    async def test_a_replayed_task_can_be_cancelled_and_replayed_again(self, bench: Bench) -> None:
        task_id = await bench.put()
        for generation in range(3):
            await bench.apply(Cancel(task_id))
            await bench.apply(Replay(task_id))
            assert (await bench.record(task_id)).generation == generation + 1
        assert not (await bench.delivery()).cancel_requested

    async def test_a_replayed_task_is_not_asked_to_end_any_more(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Cancel(delivery.fence.task_id, terminate=True))
        await bench.apply(Settle(TaskEvent.CANCELLED), fence=delivery.fence)
        await bench.apply(Replay(delivery.fence.task_id))
        assert not (await bench.delivery()).cancel_requested
        assert not (await bench.record(delivery.fence.task_id)).terminate_requested

    async def test_a_replayed_task_expires_counted_from_its_replay(self, bench: Bench) -> None:
        delivery = await bench.running(expires=seconds(10))
        bench.clock.advance(60)
        await bench.apply(Settle(TaskEvent.EXPIRED), fence=delivery.fence)
        await bench.apply(Replay(delivery.fence.task_id))
        again = await bench.delivery()
        assert (again.expired, again.expires_at) == (False, bench.clock.now() + seconds(10))

    async def test_the_end_of_an_earlier_generation_is_fenced_or_was_applied(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Bury("crashed"), fence=delivery.fence)
        await bench.apply(Replay(delivery.fence.task_id))
        await bench.apply(Bury("crashed"), fence=delivery.fence)
        assert await bench.state(delivery.fence.task_id) is TaskState.QUEUED

    async def test_a_replay_of_what_has_not_ended_or_has_succeeded_is_refused(self, bench: Bench) -> None:
        delivery = await bench.running()
        assert _code(await bench.write(Replay(delivery.fence.task_id))) == RefusalCode.INVALID_TRANSITION
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert _code(await bench.write(Replay(delivery.fence.task_id))) == RefusalCode.INVALID_TRANSITION
        assert (await bench.record(delivery.fence.task_id)).generation == 0

    async def test_a_replay_sent_again_is_applied_and_changes_nothing(self, bench: Bench) -> None:
        delivery = await bench.running()
        task_id = delivery.fence.task_id
        await bench.apply(Bury("crashed"), fence=delivery.fence)
        await bench.apply(Replay(task_id, 0))
        await bench.apply(Replay(task_id, 0))
        assert (await bench.record(task_id)).generation == 1
        again = await bench.delivery()
        await bench.apply(Bury("crashed"), fence=again.fence)
        await bench.apply(Replay(task_id, 0))
        assert ((await bench.record(task_id)).generation, await bench.state(task_id)) == (1, TaskState.FAILED)
        await bench.apply(Replay(task_id, 1))
        assert (await bench.record(task_id)).generation == 2

    async def test_a_replay_of_a_generation_that_has_not_ended_is_refused(self, bench: Bench) -> None:
        task_id = await bench.put()
        assert _code(await bench.write(Replay(task_id, 0))) == RefusalCode.INVALID_TRANSITION

    @pytest.mark.parametrize("cancel_first", [True, False])
    async def test_when_a_cancel_meets_the_end_of_a_task_the_end_stands(self, bench: Bench, cancel_first: bool) -> None:
        delivery = await bench.running()
        cancel, end = Change((Cancel(delivery.fence.task_id),)), Change((SUCCESS,), delivery.fence)
        batch = [cancel, end] if cancel_first else [end, cancel]
        assert await bench.store.commit(batch) == [APPLIED, APPLIED]
        assert await bench.state(delivery.fence.task_id) is TaskState.SUCCEEDED

    async def test_the_late_end_of_an_earlier_generation_leaves_the_present_one_alone(self, bench: Bench) -> None:
        frozen = await bench.running()
        rescued = await bench.lose(frozen)
        await bench.apply(Bury("crashed"), fence=rescued.fence)
        await bench.apply(Replay(frozen.fence.task_id))
        present = await bench.delivery()
        for write in (SUCCESS, Release(), Report(Progress(99, 1.0))):
            assert await bench.write(write, fence=frozen.fence) == FENCED
        record = await bench.record(frozen.fence.task_id)
        assert (record.state, record.fence, record.progress) == (TaskState.RUNNING, present.fence.counter, None)

    async def test_a_replay_of_an_unknown_id_is_refused(self, bench: Bench) -> None:
        assert _code(await bench.write(Replay("nobody"))) == RefusalCode.UNKNOWN_ID
