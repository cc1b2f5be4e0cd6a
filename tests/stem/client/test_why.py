"""Why a task is not running, or not finished: each sentence, over a real store."""

from __future__ import annotations

import pytest

from stem.adapters.memory import MemoryStore
from stem.client.inspect import Inspector
from stem.contracts.changes import Cancel, OpenGroup, Park, Reschedule, SealGroup
from stem.contracts.control import Revocation
from stem.contracts.heartbeats import Heartbeat
from stem.errors import UnknownId
from stem.tasks.links import After, Member
from stem.tasks.status import Failure
from stem.testing import ManualClock
from stem.testing.contracts.allowances import allow
from stem.testing.contracts.build import SECOND, Bench
from tests.stem.client.support import BOOM, bury, expire, succeed


async def beat(store: MemoryStore, worker: str = "worker-1", queue: str = "default") -> None:
    await store.beat(
        Heartbeat(
            worker=worker,
            host="host-1",
            pid=7,
            fingerprint="registry-1",
            queues=(queue,),
            concurrency=4,
            running=0,
            every=5 * SECOND,
        )
    )


async def words(inspector: Inspector, task_id: str) -> str:
    """All sentences about the task, with what to do, one a line."""
    found = await inspector.why(task_id)
    return "\n".join(f"{reason.text} -> {reason.do}" for reason in found.reasons)


class TestWaiting:
    async def test_a_task_that_nothing_hinders_waits_for_its_turn(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        task_id = await bench.put()
        await bench.put()
        told = await words(inspector, task_id)
        assert "nothing hinders it" in told
        assert "live workers of its queue: 1; waiting there, itself included: 2" in told

    async def test_a_concurrency_that_is_used_up_is_said_with_its_key(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        await allow(bench, concurrency=1)
        holder = await bench.put(concurrency_key="ada")
        task_id = await bench.put(concurrency_key="ada")
        assert await bench.leased_ids(2) == [holder]
        told = await words(inspector, task_id)
        assert told == "the concurrency of its task for key ada is used up: 1 of 1 run -> "
        await allow(bench, concurrency=2)
        assert "lets it start now" in await words(inspector, task_id)

    async def test_a_rate_that_is_used_up_is_said_with_the_time_of_the_next_start(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        await allow(bench, "1/m")
        first, second = [await bench.put() for _ in range(2)]
        assert await bench.leased_ids(2) == [first]
        told = await words(inspector, second)
        assert told == "the rate of its task is used up: the next one may start in 1 min -> "

    async def test_a_queue_without_a_live_worker_is_said(self, bench: Bench, inspector: Inspector) -> None:
        told = await words(inspector, await bench.put(queue="mail"))
        assert told == "no live worker serves queue mail -> start one: stem worker -q mail"

    async def test_a_worker_that_fell_silent_is_named(
        self, bench: Bench, store: MemoryStore, inspector: Inspector, clock: ManualClock
    ) -> None:
        await beat(store)
        clock.advance(60)
        told = await words(inspector, await bench.put())
        assert "no live worker serves queue default; worker worker-1 did, and was last seen 1 min ago" in told

    async def test_a_paused_queue_is_said_with_its_reason_and_how_to_go_on(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        await store.pause("default", reason="deploy")
        told = await words(inspector, await bench.put())
        assert "queue default is paused since" in told
        assert "(deploy) -> stem queues resume default" in told

    async def test_a_delayed_task_tells_until_when(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        assert "which is in 1.5 h" in await words(inspector, await bench.put(delay=5400 * SECOND))

    async def test_a_retry_tells_its_number_and_the_error_before_it(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        delivery = await bench.running(max_retries=3)
        await bench.apply(Reschedule(20 * SECOND, BOOM), fence=delivery.fence)
        told = await words(inspector, delivery.fence.task_id)
        assert "it waits for attempt 2 of 4 after ValueError: no such card, until" in told
        assert "in 20 s" in told

    async def test_a_parked_task_tells_who_refused_it(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        delivery = await bench.running()
        await bench.apply(Park("newer version", "registry-1", 300 * SECOND), fence=delivery.fence)
        told = await words(inspector, delivery.fence.task_id)
        assert "it is parked (newer version): refused by the registries registry-1" in told

    async def test_a_revoked_task_says_so(self, bench: Bench, store: MemoryStore, inspector: Inspector) -> None:
        await beat(store)
        task_id = await bench.put()
        await store.revoke([Revocation(task_id=task_id, version=1, reason="mistake")])
        assert "its id is revoked (mistake)" in await words(inspector, task_id)

    async def test_several_reasons_are_all_told(self, bench: Bench, store: MemoryStore, inspector: Inspector) -> None:
        await store.pause("default")
        assert len((await inspector.why(await bench.put(delay=SECOND))).reasons) == 3


class TestHeld:
    async def test_a_continuation_names_what_it_continues_and_how_that_stands(
        self, bench: Bench, inspector: Inspector
    ) -> None:
        first = await bench.put(name="tests.first")
        told = await words(inspector, await bench.put(after=After(first)))
        assert told == f"it continues task {first} (tests.first), which is queued -> stem why {first}"

    async def test_a_member_of_an_open_group_tells_how_far_that_is_filled(
        self, bench: Bench, inspector: Inspector
    ) -> None:
        await bench.apply(OpenGroup(group="g", size=2))
        told = await words(inspector, await bench.put(member=Member("g", 0)))
        assert "group g is still being filled (1 of 2 places)" in told

    async def test_the_continuation_of_a_group_tells_how_many_have_not_ended(
        self, bench: Bench, inspector: Inspector
    ) -> None:
        await bench.apply(OpenGroup(group="g", size=2))
        for place in range(2):
            await bench.put(member=Member("g", place))
        await bench.apply(SealGroup("g"))
        await bench.finish()
        told = await words(inspector, await bench.put(after=After("g", "group")))
        assert "it continues group g, of which 1 of 2 members have not ended" in told


class TestRunning:
    async def test_a_running_task_names_its_worker_and_its_lease(
        self, bench: Bench, store: MemoryStore, inspector: Inspector
    ) -> None:
        await beat(store)
        delivery = await bench.running()
        told = await words(inspector, delivery.fence.task_id)
        assert "worker worker-1 has it, under a lease that is renewed and holds for 10 s more" in told

    async def test_a_worker_that_is_late_is_said_with_its_process(
        self, bench: Bench, store: MemoryStore, inspector: Inspector, clock: ManualClock
    ) -> None:
        await beat(store)
        delivery = await bench.running()
        clock.advance(40)
        told = await words(inspector, delivery.fence.task_id)
        assert "its lease ended 30 s ago: any live worker takes it over soon -> start a worker: none is alive" in told
        assert "worker worker-1 (process 7 on host-1) is late: it was not seen for 40 s" in told

    async def test_a_worker_that_is_not_known_any_more_is_said(self, bench: Bench, inspector: Inspector) -> None:
        delivery = await bench.running()
        assert "worker worker-1 has signed off" in await words(inspector, delivery.fence.task_id)

    async def test_a_cancellation_that_was_asked_for_is_said(self, bench: Bench, inspector: Inspector) -> None:
        delivery = await bench.running()
        await bench.apply(Cancel(delivery.fence.task_id))
        assert "its cancellation was asked for" in await words(inspector, delivery.fence.task_id)


class TestEnded:
    async def test_one_that_succeeded_says_when(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put()
        assert "and is succeeded" in await words(inspector, await succeed(bench))

    async def test_a_dead_letter_tells_its_error_and_how_to_replay_it(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put()
        dead = await bury(bench)
        told = await words(inspector, dead)
        assert "and is failed: ValueError: no such card" in told
        assert f"it is in the dead letters: retries_used_up -> stem dlq replay {dead}" in told

    async def test_one_that_expired_says_that_nobody_began_it(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put()
        assert "no worker began it before its time was over" in await words(inspector, await expire(bench))

    async def test_an_error_of_several_lines_is_told_in_one(self, bench: Bench, inspector: Inspector) -> None:
        delivery = await bench.running()
        await bench.apply(Reschedule(SECOND, Failure("E", "one\ntwo")), fence=delivery.fence)
        assert "two" not in await words(inspector, delivery.fence.task_id)


async def test_an_id_that_nobody_knows_is_an_error(inspector: Inspector) -> None:
    with pytest.raises(UnknownId):
        await inspector.why("nobody")
