"""Waiting gives the result, or the one error that says why there is none; a lost notice only delays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from stem.adapters.memory import MemoryStore
from stem.app import Stem
from stem.client.wait import SLOW_LOOK, Waiter, result_of
from stem.contracts.changes import Replay
from stem.contracts.queries import StoredResult
from stem.contracts.store import Listener, Notice, Subscription
from stem.errors import (
    ResultExpired,
    ResultIgnored,
    StoreCorrupt,
    StoreUnavailable,
    TaskCancelled,
    TaskExpired,
    TaskFailed,
    Undecodable,
    UnknownId,
    WaitTimeout,
)
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from stem.tasks.status import Progress
from stem.testing import ManualClock
from stem.testing.contracts.build import SECOND, SUCCESS, Bench
from tests.stem.client.support import bury, charge, expire, release, report, settle_cancelled, succeed


class Deaf:
    """A subscription to a store that tells nothing."""

    def close(self) -> None:
        """Nothing to close."""


class Silent(MemoryStore):
    """A store whose notices are all lost, and which can be made to fail."""

    failure: Exception | None = None
    reads = 0

    def listen(self, listener: Listener) -> Subscription:
        del listener
        return Deaf()

    async def results(self, ids: Sequence[str], *, even_expired: bool = False) -> dict[str, StoredResult]:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return dict(await super().results(ids))


class Loud(Silent):
    """A store whose notices the test gives."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.tell: Listener = lambda notice: None

    def listen(self, listener: Listener) -> Subscription:
        self.tell = listener
        return Deaf()


@pytest.fixture
async def loud(clock: ManualClock) -> Loud:
    return Loud(clock)


@pytest.fixture
async def hearing(loud: Loud, clock: ManualClock) -> AsyncIterator[Waiter]:
    """A waiter that listens, because somebody has waited before."""
    made = Waiter(loud, clock=clock)
    with pytest.raises(UnknownId):
        await made.result("nobody", None)
    loud.reads = 0
    yield made
    await made.aclose()


@pytest.fixture
async def silent(clock: ManualClock) -> Silent:
    return Silent(clock)


@pytest.fixture
async def waiter(silent: Silent, clock: ManualClock) -> AsyncIterator[Waiter]:
    made = Waiter(silent, clock=clock)
    yield made
    await made.aclose()


async def turns(count: int = 25) -> None:
    """Let the other tasks of the loop go on."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestResults:
    async def test_a_result_that_is_there_comes_at_once(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await succeed(bench)
        assert await handle.result() == "paid"

    async def test_a_waiter_is_told_when_the_result_is_recorded(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        waiting = asyncio.create_task(handle.result())
        await turns()
        assert not waiting.done()
        await succeed(bench)
        assert await waiting == "paid"

    async def test_many_waiters_of_one_task_all_get_it(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        waiting = asyncio.gather(*(handle.result() for _ in range(20)))
        await turns()
        await succeed(bench)
        assert await waiting == ["paid"] * 20

    async def test_a_handle_made_from_the_id_gives_the_typed_result(self, stem: Stem, bench: Bench) -> None:
        first = await charge.enqueue(stem, 7)
        await succeed(bench)
        assert await charge.handle(stem, first.id).result() == "paid"
        assert await stem.handle(first.id).result() == "paid"

    async def test_a_result_that_does_not_fit_its_type_is_undecodable(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await succeed(bench, b"[1]")
        with pytest.raises(Undecodable):
            await handle.result()

    async def test_waiting_survives_a_release_and_a_replay(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        waiting = asyncio.create_task(handle.result())
        await release(bench, await bench.delivery())
        await turns()
        await succeed(bench)
        assert await waiting == "paid"

    async def test_enqueue_and_wait_is_both_in_one(self, stem: Stem, bench: Bench) -> None:
        waiting = asyncio.create_task(charge.enqueue_and_wait(stem, 7))
        await turns()
        await succeed(bench)
        assert await waiting == "paid"


class TestBadEnds:
    async def test_a_failed_task_raises_with_kind_message_and_traceback(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await bury(bench)
        with pytest.raises(TaskFailed) as failed:
            await handle.result()
        assert (failed.value.kind, failed.value.message) == ("ValueError", "no such card")
        assert failed.value.traceback == "Traceback: ..."
        assert failed.value.code == "STEM-E041"

    async def test_a_cancelled_task_raises_task_cancelled(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await settle_cancelled(bench)
        with pytest.raises(TaskCancelled, match="asked to"):
            await handle.result()

    async def test_a_task_cancelled_while_it_waited_needs_no_worker_to_say_so(self, stem: Stem) -> None:
        handle = await charge.enqueue(stem, 7)
        waiting = asyncio.create_task(handle.result())
        await turns()
        await handle.cancel()
        with pytest.raises(TaskCancelled):
            await waiting

    async def test_an_expired_task_raises_task_expired(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await expire(bench)
        with pytest.raises(TaskExpired):
            await handle.result()

    async def test_an_ignored_result_says_so(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.options(ignore_result=True).enqueue(stem, 7)
        await succeed(bench, None)
        with pytest.raises(ResultIgnored):
            await handle.result()

    async def test_a_result_is_there_until_its_time_is_over_and_then_says_so(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.options(result_ttl=timedelta(hours=1)).enqueue(stem, 7)
        await succeed(bench)
        bench.clock.advance(3599)
        assert await handle.result() == "paid"
        bench.clock.advance(1)
        with pytest.raises(ResultExpired):
            await handle.result()

    async def test_an_id_that_nobody_knows_is_an_error_at_once(self, stem: Stem) -> None:
        with pytest.raises(UnknownId) as unknown:
            await stem.handle("no such id").result()
        assert "no such id" in unknown.value.found

    async def test_a_replayed_task_is_waited_for_again(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await bury(bench)
        await bench.apply(Replay(handle.id))
        waiting = asyncio.create_task(handle.result())
        await turns()
        await succeed(bench)
        assert await waiting == "paid"


class TestTimeouts:
    async def test_a_timeout_raises_and_the_task_goes_on(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        waiting = asyncio.create_task(handle.result(timeout=timedelta(seconds=30)))
        await bench.clock.run_for(29.9)
        assert not waiting.done()
        await bench.clock.run_for(0.1)
        with pytest.raises(WaitTimeout, match="30 s"):
            await waiting
        await succeed(bench)
        assert await handle.result() == "paid"

    async def test_the_calls_own_wait_timeout_holds_where_none_is_given(self, stem: Stem, clock: ManualClock) -> None:
        handle = await charge.options(wait_timeout=timedelta(seconds=5)).enqueue(stem, 7)
        waiting = asyncio.create_task(handle.result())
        await clock.run_for(5)
        with pytest.raises(WaitTimeout):
            await waiting

    async def test_a_result_that_is_there_beats_a_timeout_of_zero(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await succeed(bench)
        waiting = asyncio.create_task(handle.result(timeout=timedelta(seconds=1)))
        assert await waiting == "paid"

    async def test_who_stops_waiting_leaves_the_others_waiting(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        stopped, staying = asyncio.create_task(handle.result()), asyncio.create_task(handle.result())
        await turns()
        stopped.cancel()
        await turns()
        await succeed(bench)
        assert await staying == "paid"
        assert stopped.cancelled()


class TestLostNotices:
    async def test_a_lost_notice_delays_by_one_slow_look(self, silent: Silent, clock: ManualClock) -> None:
        bench, waiter = Bench(silent, clock), Waiter(silent, clock=clock)
        task_id = await bench.put()
        waiting = asyncio.create_task(waiter.result(task_id, None))
        await turns()
        await succeed(bench)
        await turns()
        assert not waiting.done()
        await clock.run_for(SLOW_LOOK / SECOND)
        assert (await waiting).state is TaskState.SUCCEEDED
        await waiter.aclose()

    async def test_who_waits_together_is_read_together(
        self, silent: Silent, waiter: Waiter, clock: ManualClock
    ) -> None:
        bench = Bench(silent, clock)
        ids = [await bench.put() for _ in range(100)]
        for _ in ids:
            await succeed(bench)
        await asyncio.gather(*(waiter.result(task_id, None) for task_id in ids))
        assert silent.reads == 1

    async def test_an_outage_of_the_store_delays_and_is_no_error(
        self, silent: Silent, waiter: Waiter, clock: ManualClock
    ) -> None:
        bench = Bench(silent, clock)
        task_id = await bench.put()
        await succeed(bench)
        silent.failure = StoreUnavailable(expected="an answer", found="none", do="Wait.")
        waiting = asyncio.create_task(waiter.result(task_id, None))
        await clock.run_for(5)
        assert not waiting.done()
        silent.failure = None
        await clock.run_for(1)
        assert (await waiting).state is TaskState.SUCCEEDED

    async def test_a_store_that_is_broken_for_good_ends_the_waiting(self, silent: Silent, waiter: Waiter) -> None:
        silent.failure = StoreCorrupt(expected="a database", found="noise", do="Restore it.")
        with pytest.raises(StoreCorrupt):
            await waiter.result("any", None)

    async def test_closing_the_client_ends_the_waiting(self, silent: Silent, clock: ManualClock) -> None:
        bench, waiter = Bench(silent, clock), Waiter(silent, clock=clock)
        waiting = asyncio.create_task(waiter.result(await bench.put(), None))
        await turns()
        await waiter.aclose()
        with pytest.raises(StoreUnavailable, match="closed while waiting"):
            await waiting


class TestProgress:
    async def test_reports_come_as_they_are_made_and_end_with_the_task(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        reports = handle.progress()
        delivery = await bench.delivery()
        for sequence in (1, 2, 3):
            coming = asyncio.ensure_future(anext(reports))
            await turns()
            await report(bench, delivery, sequence, sequence * 2.0)
            assert (await coming).done == sequence * 2.0
        ending = asyncio.ensure_future(anext(reports, None))
        await turns()
        assert not ending.done()
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert await ending is None

    async def test_the_latest_report_is_seen_by_who_comes_late(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        delivery = await bench.delivery()
        await report(bench, delivery, 1, 1.0)
        await report(bench, delivery, 2, 5.0)
        assert [await anext(handle.progress())] == [Progress(2, 5.0, 10.0)]

    async def test_a_task_that_never_reports_gives_none_and_ends(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await succeed(bench)
        assert [progress async for progress in handle.progress()] == []

    async def test_an_unknown_id_has_no_progress(self, stem: Stem) -> None:
        with pytest.raises(UnknownId):
            await anext(stem.handle("no such id").progress())

    async def test_closing_the_client_ends_it(self, silent: Silent, clock: ManualClock) -> None:
        bench, waiter = Bench(silent, clock), Waiter(silent, clock=clock)
        watching = asyncio.create_task(_all(waiter.progress(await bench.put())))
        await turns()
        await waiter.aclose()
        with pytest.raises(StoreUnavailable, match="closed while waiting"):
            await watching

    async def test_a_lost_notice_only_delays(self, silent: Silent, waiter: Waiter, clock: ManualClock) -> None:
        bench = Bench(silent, clock)
        task_id = await bench.put()
        ended = asyncio.create_task(_all(waiter.progress(task_id)))
        await turns()
        await succeed(bench)
        await clock.run_for(SLOW_LOOK / SECOND)
        assert await ended == []


async def _all(reports: AsyncIterator[Progress]) -> list[Progress]:
    return [progress async for progress in reports]


class TestStatusAndCancel:
    async def test_the_status_tells_of_the_task(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        assert (await handle.status()).state is TaskState.QUEUED
        await bench.delivery()
        status = await handle.status()
        assert (status.state, status.worker, status.attempt) == (TaskState.RUNNING, "worker-1", 0)

    async def test_cancelling_what_runs_asks_and_tells(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await bench.delivery()
        status = await handle.cancel(terminate=True)
        assert (status.state, status.cancel_requested) == (TaskState.RUNNING, True)

    async def test_cancelling_what_has_ended_changes_nothing(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.enqueue(stem, 7)
        await succeed(bench)
        assert (await handle.cancel()).state is TaskState.SUCCEEDED
        assert await handle.result() == "paid"

    async def test_an_unknown_id_can_be_neither_asked_nor_cancelled(self, stem: Stem) -> None:
        handle: TaskHandle[object] = stem.handle("no such id")
        with pytest.raises(UnknownId):
            await handle.status()
        with pytest.raises(UnknownId):
            await handle.cancel()


@pytest.mark.parametrize(
    ("stored", "error"),
    [
        (StoredResult(TaskState.SUCCEEDED), ResultExpired),
        (StoredResult(TaskState.SUCCEEDED, expired=True, ignored=True), ResultIgnored),
        (StoredResult(TaskState.SUCCEEDED, result=b"1", expired=True), ResultExpired),
        (StoredResult(TaskState.FAILED), TaskFailed),
        (StoredResult(TaskState.CANCELLED), TaskCancelled),
        (StoredResult(TaskState.EXPIRED), TaskExpired),
    ],
)
def test_every_end_without_a_result_has_its_error(stored: StoredResult, error: type[Exception]) -> None:
    with pytest.raises(error):
        result_of("t1", stored)


def test_none_is_a_result_and_not_the_absence_of_one() -> None:
    assert result_of("t1", StoredResult(TaskState.SUCCEEDED, result=b"null")) == b"null"


class TestNoticesThatBringResults:
    async def test_a_result_in_the_notice_is_not_asked_for(self, hearing: Waiter, loud: Loud) -> None:
        hearing.expect("task-1")
        waiting = asyncio.create_task(hearing.result("task-1", None))
        await turns()
        loud.tell(Notice(tasks=("task-1",), results={"task-1": b"7"}))

        assert await waiting == StoredResult(TaskState.SUCCEEDED, b"7")
        assert loud.reads == 0

    async def test_a_result_that_was_heard_before_anybody_waited_is_there_at_once(
        self, hearing: Waiter, loud: Loud
    ) -> None:
        hearing.expect("task-1")
        loud.tell(Notice(tasks=("task-1",), results={"task-1": b"7"}))

        assert await hearing.result("task-1", None) == StoredResult(TaskState.SUCCEEDED, b"7")
        assert loud.reads == 0

    async def test_an_end_without_its_result_is_asked_for(
        self, hearing: Waiter, loud: Loud, clock: ManualClock
    ) -> None:
        task_id = await Bench(loud, clock).put()
        hearing.expect(task_id)
        await succeed(Bench(loud, clock))
        loud.tell(Notice(tasks=(task_id,)))

        assert (await hearing.result(task_id, None)).state is TaskState.SUCCEEDED
        assert loud.reads == 1

    async def test_after_everything_happened_all_is_asked_for(
        self, hearing: Waiter, loud: Loud, clock: ManualClock
    ) -> None:
        task_id = await Bench(loud, clock).put()
        hearing.expect(task_id)
        loud.tell(Notice(everything=True))
        waiting = asyncio.create_task(hearing.result(task_id, None))
        await turns()

        assert loud.reads == 1
        waiting.cancel()

    async def test_a_lost_notice_of_an_expected_task_only_delays(
        self, hearing: Waiter, loud: Loud, clock: ManualClock
    ) -> None:
        task_id = await Bench(loud, clock).put()
        hearing.expect(task_id)
        await succeed(Bench(loud, clock))
        waiting = asyncio.create_task(hearing.result(task_id, None))
        await clock.run_for(SLOW_LOOK / SECOND + 0.1)

        assert (await waiting).state is TaskState.SUCCEEDED

    async def test_only_a_thousand_are_expected(self, hearing: Waiter, loud: Loud) -> None:
        for number in range(1_001):
            hearing.expect(f"task-{number}")
        with pytest.raises(UnknownId):
            await hearing.result("task-0", None)

        assert loud.reads == 1

    async def test_those_told_first_of_many_go_on_before_the_others_are_told(self, hearing: Waiter, loud: Loud) -> None:
        names = tuple(f"task-{number}" for number in range(60))
        for name in names:
            hearing.expect(name)
        waiting = [asyncio.create_task(hearing.result(name, None)) for name in names]
        await turns()
        loud.tell(Notice(tasks=names, results=dict.fromkeys(names, b"7")))

        await turns(1)
        assert [task.done() for task in waiting] == [True] * 50 + [False] * 10
        assert len(await asyncio.gather(*waiting)) == 60
