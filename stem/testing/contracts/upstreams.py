"""What a continuation waits for and what becomes of it: failures, replays, and results that are read."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Bury, Cancel, Change, Publish, RefusalCode, Replay, UniqueKey, Write
from stem.contracts.queries import StoredResult
from stem.contracts.store import Store
from stem.tasks.links import After
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, publish, seconds
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.lineups import CANCELLED, EXPIRED, chain, states

__all__ = ["UpstreamContract"]

UNSUCCESSFUL: list[Write] = [FAILURE, CANCELLED, EXPIRED, Bury("crashed")]


async def _chain(bench: Bench, length: int) -> list[str]:
    links = chain(length)
    await bench.apply(*links)
    return [link.envelope.id for link in links]


async def _result(bench: Bench, task_id: str, *, even_expired: bool = False) -> StoredResult:
    return (await bench.store.results([task_id], even_expired=even_expired))[task_id]


class UpstreamContract(Contract):
    """The ends of what a continuation waits for."""

    @pytest.mark.parametrize("end", UNSUCCESSFUL, ids=label)
    async def test_an_end_without_success_cancels_what_waits_and_what_waits_for_that(
        self, bench: Bench, end: Write
    ) -> None:
        ids = await _chain(bench, 4)
        await bench.finish(end)
        bench.clock.advance(86_400)
        assert await states(bench, *ids[1:]) == [TaskState.CANCELLED] * 3
        assert await bench.leased_ids(9) == []

    async def test_a_cancelled_continuation_says_what_it_waited_for_and_where_that_is(self, bench: Bench) -> None:
        ids = await _chain(bench, 3)
        await bench.finish(FAILURE)
        errors = [(await bench.record(task_id)).error for task_id in ids[1:]]
        assert [(error.kind, error.message) for error in errors if error is not None] == [
            ("UpstreamFailed", f"task {ids[0]} is {TaskState.FAILED.value}"),
            ("UpstreamFailed", f"task {ids[1]} is {TaskState.CANCELLED.value}"),
        ]

    async def test_a_cancelled_continuation_ends_at_the_time_of_that_change(self, bench: Bench) -> None:
        _, second = await _chain(bench, 2)
        bench.clock.advance(7)
        await bench.finish(FAILURE)
        record = await bench.record(second)
        assert (record.finished_at, record.held, record.due_at) == (bench.clock.now(), False, None)

    async def test_a_failure_cancels_a_chain_of_200(self, bench: Bench) -> None:
        ids = await _chain(bench, 200)
        await bench.finish(FAILURE)
        assert set(await states(bench, *ids[1:])) == {TaskState.CANCELLED}

    async def test_the_cancel_of_a_waiting_task_cancels_what_waits_for_it(self, bench: Bench) -> None:
        ids = await _chain(bench, 3)
        await bench.apply(Cancel(ids[0]))
        assert await states(bench, *ids) == [TaskState.CANCELLED] * 3

    async def test_the_cancel_of_a_running_task_cancels_nothing_until_it_ends(self, bench: Bench) -> None:
        first, second = await _chain(bench, 2)
        delivery = await bench.delivery()
        await bench.apply(Cancel(first))
        assert (await bench.record(second)).held
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert await bench.leased_ids() == [second]

    async def test_everyone_who_is_cancelled_by_an_upstream_is_told_of(self, bench: Bench) -> None:
        ids = await _chain(bench, 3)
        with Ear(bench.store) as ear:
            await bench.finish(FAILURE)
            for task_id in ids:
                await ear.hears_of_task(task_id)

    async def test_a_failure_sent_again_changes_nothing(self, bench: Bench) -> None:
        await _chain(bench, 3)
        delivery = await bench.delivery()
        await bench.apply(FAILURE, fence=delivery.fence)
        before = await bench.everything()
        bench.clock.advance(1)
        await bench.apply(FAILURE, fence=delivery.fence)
        assert await bench.everything() == before

    @pytest.mark.parametrize("end", [SUCCESS, FAILURE], ids=label)
    async def test_a_continuation_that_has_ended_is_not_touched_by_its_upstream(self, bench: Bench, end: Write) -> None:
        await bench.put(unique=UniqueKey("k"), queue="mail")
        first = await bench.put()
        double = publish(after=After(first), unique=UniqueKey("k"))
        cancelled = await bench.put(after=After(first))
        await bench.apply(Cancel(cancelled), double)
        before = await bench.store.get([cancelled, double.envelope.id])
        bench.clock.advance(1)
        assert await bench.finish(end) == first
        assert await bench.store.get([cancelled, double.envelope.id]) == before
        assert await bench.leased_ids(9) == []

    async def test_the_replay_of_a_failed_task_does_not_revive_what_was_cancelled(self, bench: Bench) -> None:
        first, second = await _chain(bench, 2)
        await bench.finish(Bury("crashed"))
        await bench.apply(Replay(first))
        assert await bench.finish_all() == [first]
        assert await bench.state(second) is TaskState.CANCELLED

    async def test_a_replayed_continuation_waits_again_for_what_lives_again(self, bench: Bench) -> None:
        first, second = await _chain(bench, 2)
        await bench.finish(FAILURE)
        await bench.apply(Replay(first))
        await bench.apply(Replay(second))
        record = await bench.record(second)
        assert (record.state, record.held, record.due_at, record.generation) == (TaskState.QUEUED, True, None, 1)
        assert await bench.finish_all() == [first, second]

    async def test_a_replayed_continuation_whose_upstream_has_succeeded_is_due(self, bench: Bench) -> None:
        _, second = await _chain(bench, 2)
        await bench.finish()
        await bench.finish(FAILURE)
        await bench.apply(Replay(second, delay=seconds(5)))
        record = await bench.record(second)
        assert (record.held, record.due_at) == (False, bench.clock.now() + seconds(5))

    async def test_a_replay_is_refused_whose_upstream_has_ended_without_success(self, bench: Bench) -> None:
        _, second = await _chain(bench, 2)
        await bench.finish(FAILURE)
        before = await bench.record(second)
        assert await bench.refused(Replay(second)) == RefusalCode.INVALID_TRANSITION
        assert await bench.record(second) == before

    async def test_a_chain_is_replayed_by_one_change_in_its_order(self, bench: Bench) -> None:
        ids = await _chain(bench, 3)
        await bench.finish(FAILURE)
        await bench.refused(Replay(ids[1]), Replay(ids[0]))
        await bench.apply(*(Replay(task_id) for task_id in ids))
        assert await bench.finish_all() == ids

    async def test_a_chain_is_replayed_by_one_batch_in_its_order(self, bench: Bench) -> None:
        ids = await _chain(bench, 3)
        await bench.finish(FAILURE)
        await bench.store.commit([Change((Replay(task_id),)) for task_id in ids])
        assert await bench.finish_all() == ids

    async def test_a_replayed_continuation_that_is_held_is_due_after_its_delay_from_the_release(
        self, bench: Bench
    ) -> None:
        first, second = await _chain(bench, 2)
        await bench.finish(FAILURE)
        await bench.apply(Replay(first))
        await bench.apply(Replay(second, delay=seconds(5)))
        bench.clock.advance(60)
        await bench.finish()
        assert (await bench.record(second)).due_at == bench.clock.now() + seconds(5)

    async def test_the_result_of_what_a_live_message_waits_for_is_stored_even_if_ignored(self, bench: Bench) -> None:
        upstream = await bench.put(ignore_result=True)
        await bench.put(after=After(upstream))
        delivery = await bench.delivery()
        assert not delivery.ignore_result
        await bench.apply(SUCCESS, fence=delivery.fence)
        found = await _result(bench, upstream)
        assert (found.result, found.ignored) == (b'"done"', False)
        assert (await bench.record(upstream)).ignore_result

    async def test_the_result_of_what_runs_already_when_somebody_begins_to_wait_for_it_is_stored_even_if_ignored(
        self, bench: Bench
    ) -> None:
        delivery = await bench.running(ignore_result=True)
        upstream = delivery.fence.task_id
        assert delivery.ignore_result
        await bench.put(after=After(upstream))
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert (await _result(bench, upstream)).result == b'"done"'

    async def test_the_last_of_a_chain_is_read_by_nobody_when_it_is_ignored(self, bench: Bench) -> None:
        links = chain(2, ignore_result=True)
        await bench.apply(*links)
        await bench.finish()
        delivery = await bench.delivery()
        assert delivery.ignore_result
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert (await _result(bench, links[1].envelope.id)).ignored

    async def test_a_rescued_delivery_says_whether_its_result_is_ignored(self, bench: Bench) -> None:
        upstream = await bench.put(ignore_result=True)
        await bench.put(after=After(upstream))
        assert not (await bench.lose(await bench.delivery())).ignore_result

    async def test_a_result_whose_time_is_over_is_answered_to_a_continuation(self, bench: Bench) -> None:
        upstream = publish(result_ttl=seconds(10))
        await bench.apply(upstream, publish(after=After(upstream.envelope.id)))
        await bench.finish()
        bench.clock.advance(11)
        assert (await _result(bench, upstream.envelope.id)).result is None
        found = await _result(bench, upstream.envelope.id, even_expired=True)
        assert (found.result, found.expired) == (b'"done"', True)

    async def test_what_was_never_stored_is_not_answered_even_expired(self, bench: Bench) -> None:
        await bench.put(ignore_result=True)
        task_id = await bench.finish()
        found = await _result(bench, task_id, even_expired=True)
        assert (found.result, found.ignored) == (None, True)

    async def test_ignored_says_that_no_result_is_stored_and_that_none_was_wanted(self, bench: Bench) -> None:
        upstream = await bench.put(ignore_result=True)
        await bench.put(after=After(upstream))
        assert (await _result(bench, upstream)).ignored
        await bench.finish(FAILURE)
        assert (await _result(bench, upstream)).ignored

    async def test_a_continuation_is_let_go_at_another_handle(self, bench: Bench, other: Store) -> None:
        first, second = await _chain(bench, 2)
        delivery = await bench.delivery()
        assert delivery.fence.task_id == first
        await other.commit([Change((SUCCESS,), delivery.fence)])
        assert await bench.leased_ids() == [second]

    async def test_a_rescuer_that_buries_cancels_what_waits(self, bench: Bench) -> None:
        _, second = await _chain(bench, 2)
        rescued = await bench.lose(await bench.delivery())
        await bench.apply(Bury("crashed"), fence=rescued.fence)
        assert await bench.state(second) is TaskState.CANCELLED

    async def test_a_result_of_any_size_that_the_engine_takes_reaches_the_continuation(self, bench: Bench) -> None:
        upstream: Publish = publish()
        await bench.apply(upstream, publish(after=After(upstream.envelope.id)))
        large = SUCCESS._replace(result=b"x" * 1_000_000)
        await bench.finish(large)
        assert (await _result(bench, upstream.envelope.id)).result == large.result
