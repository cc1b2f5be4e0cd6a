"""Dead letters: kept to be looked at, replayed or given up."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Bury, Change, Discard, RefusalCode, Replay, Write
from stem.contracts.queries import TaskFilter
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, publish, seconds

__all__ = ["DeadLetterContract"]

ERROR = Failure("ValueError", "no", "Traceback ...")
BURY = Bury("crashed", ERROR)


async def _buried(bench: Bench, queue: str = "default") -> str:
    await bench.put(queue=queue, result_ttl=seconds(1))
    return await bench.finish(BURY, queues={queue: 1})


async def _dead(bench: Bench, **conditions: int) -> list[str]:
    where = TaskFilter(dead=True, ended_since=conditions.get("ended_since"), ended_until=conditions.get("ended_until"))
    return [record.id for record in (await bench.store.list_tasks(where, limit=100)).records]


class DeadLetterContract(Contract):
    """`Bury`, `Discard` and `Replay` as an operator uses them."""

    async def test_a_dead_letter_is_listed_with_reason_and_evidence(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        assert await _dead(bench) == [task_id]
        record = await bench.record(task_id)
        assert (record.state, record.bury_reason, record.error) == (TaskState.FAILED, "crashed", ERROR)

    async def test_a_dead_letter_is_never_leased(self, bench: Bench) -> None:
        await _buried(bench)
        bench.clock.advance(86_400)
        assert await bench.leased_ids(5) == []

    async def test_a_task_that_only_failed_is_no_dead_letter(self, bench: Bench) -> None:
        await bench.put()
        await bench.finish(FAILURE)
        assert await _dead(bench) == []

    async def test_dead_letters_are_listed_by_when_they_ended(self, bench: Bench) -> None:
        start, ids = bench.clock.now(), list[str]()
        for _ in range(3):
            ids.append(await _buried(bench))
            bench.clock.advance(10)
        assert await _dead(bench, ended_since=start + seconds(10)) == [ids[2], ids[1]]
        assert await _dead(bench, ended_until=start + seconds(10)) == [ids[0]]
        assert await _dead(bench, ended_since=start + seconds(5), ended_until=start + seconds(15)) == [ids[1]]

    async def test_dead_letters_are_listed_in_pages(self, bench: Bench) -> None:
        ids = [await _buried(bench) for _ in range(5)]
        await bench.put()
        first = await bench.store.list_tasks(TaskFilter(dead=True), limit=3)
        assert [record.id for record in first.records] == ids[:1:-1]
        second = await bench.store.list_tasks(TaskFilter(dead=True), limit=3, after=first.after)
        assert [record.id for record in second.records] == ids[1::-1]
        assert second.after is None

    async def test_a_filter_by_the_end_passes_over_what_lives(self, bench: Bench) -> None:
        await bench.running()
        await bench.put()
        page = await bench.store.list_tasks(TaskFilter(ended_since=0), limit=9)
        assert page.records == ()
        assert (await bench.store.list_tasks(TaskFilter(ended_until=2**60), limit=9)).records == ()

    async def test_a_replayed_dead_letter_is_none_and_runs_with_the_same_id(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Replay(task_id))
        assert await _dead(bench) == []
        assert await bench.finish() == task_id
        assert await bench.state(task_id) is TaskState.SUCCEEDED

    async def test_a_replay_is_due_after_its_delay(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Replay(task_id, delay=seconds(30)))
        record = await bench.record(task_id)
        assert (record.state, record.due_at) == (TaskState.QUEUED, bench.clock.now() + seconds(30))
        assert (await bench.lease()).next_due == seconds(30)
        bench.clock.advance(30)
        assert await bench.leased_ids() == [task_id]

    async def test_a_replay_with_a_delay_sent_again_changes_nothing(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        replay = Replay(task_id, generation=0, delay=seconds(30))
        await bench.apply(replay)
        before = await bench.record(task_id)
        bench.clock.advance(1)
        await bench.apply(replay)
        assert await bench.record(task_id) == before

    async def test_a_discarded_dead_letter_is_given_up_and_stays_failed(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Discard(task_id))
        assert await _dead(bench) == []
        record = await bench.record(task_id)
        assert (record.state, record.bury_reason, record.error) == (TaskState.FAILED, None, ERROR)

    async def test_a_discard_sent_again_changes_nothing(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Discard(task_id))
        before = await bench.record(task_id)
        bench.clock.advance(1)
        await bench.apply(Discard(task_id))
        assert await bench.record(task_id) == before

    async def test_a_discarded_task_is_kept_from_then_on_as_long_as_any_failed_one(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        bench.clock.advance(3600)
        await bench.apply(Discard(task_id))
        bench.clock.advance(59)
        assert await bench.store.retain(10) == 0
        bench.clock.advance(2)
        assert await bench.store.retain(10) == 1
        assert await bench.everything() == {}

    async def test_a_discarded_task_may_be_replayed(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Discard(task_id))
        await bench.apply(Replay(task_id))
        assert await bench.leased_ids() == [task_id]

    @pytest.mark.parametrize("end", [SUCCESS, FAILURE], ids=label)
    async def test_what_is_no_dead_letter_is_left_as_it_is(self, bench: Bench, end: Write) -> None:
        ended = await bench.running()
        await bench.apply(end, fence=ended.fence)
        ids = [ended.fence.task_id, (await bench.running()).fence.task_id, await bench.put()]
        before = await bench.everything()
        for task_id in ids:
            await bench.apply(Discard(task_id))
        assert await bench.everything() == before

    async def test_a_discard_of_an_earlier_generation_leaves_a_later_one_as_it_is(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        await bench.apply(Replay(task_id))
        await bench.finish(BURY)
        await bench.apply(Discard(task_id, generation=0))
        assert await _dead(bench) == [task_id]
        await bench.apply(Discard(task_id, generation=1))
        assert await _dead(bench) == []

    async def test_an_unknown_dead_letter_is_refused(self, bench: Bench) -> None:
        assert await bench.refused(Discard("nobody")) == RefusalCode.UNKNOWN_ID

    async def test_many_dead_letters_are_discarded_or_replayed_in_one_batch(self, bench: Bench) -> None:
        ids = [await _buried(bench) for _ in range(6)]
        changes = [Change((Discard(task_id) if number % 2 else Replay(task_id),)) for number, task_id in enumerate(ids)]
        await bench.store.commit([*changes, Change((publish(queue="mail"),))])
        assert await _dead(bench) == []
        assert await bench.leased_ids(9) == ids[::2]

    async def test_a_change_discards_a_task_once(self, bench: Bench) -> None:
        task_id = await _buried(bench)
        assert await bench.refused(Discard(task_id), Replay(task_id)) == RefusalCode.REJECTED
        assert await _dead(bench) == [task_id]
