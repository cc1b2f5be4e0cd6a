"""Signs of life."""

from __future__ import annotations

from dataclasses import replace

from stem.contracts.changes import Park
from stem.contracts.heartbeats import MOST_TOLD, Heartbeat, Predecessor, RunningTask
from stem.contracts.store import Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["HeartbeatsContract"]

BEAT = Heartbeat(
    worker="worker-1",
    host="host",
    pid=42,
    fingerprint="registry-1",
    queues=("default",),
    concurrency=10,
    running=3,
    every=seconds(5),
)
IDLE = replace(BEAT, running=0)
BUSY = replace(
    BEAT,
    running=40,
    tasks=tuple(
        RunningTask(f"id-{number}", "shöp.charge", 'a "queue"', number, seconds(86_400 * 30) + number)
        for number in range(MOST_TOLD)
    ),
    memory=5 << 40,
    replaces=Predecessor("wörker-0", -9, 1_767_225_600_000_001, 7 << 40, ("INFO thé first", "the last\n")),
)
NEW = replace(BEAT, worker="worker-2", fingerprint="registry-2")


class HeartbeatsContract(Contract):
    """`Heartbeats`."""

    async def test_a_sign_of_life_is_recorded_as_it_was_sent(self, bench: Bench) -> None:
        await bench.store.beat(BEAT)
        (record,) = await bench.store.workers()
        now = bench.clock.now()
        assert (record.heartbeat, record.first_seen, record.last_seen, record.late) == (BEAT, now, now, False)

    async def test_a_sign_of_life_tells_what_runs_since_when_and_on_which_queue(self, bench: Bench) -> None:
        await bench.store.beat(BUSY)
        bench.clock.advance(60)
        (record,) = await bench.store.workers()
        assert record.heartbeat == BUSY
        assert record.since(record.heartbeat.tasks[0]) == bench.clock.now() - seconds(60) - seconds(86_400 * 30)

    async def test_a_sign_of_life_tells_of_memory_and_of_the_dead_process_whose_place_it_took(
        self, bench: Bench
    ) -> None:
        await bench.store.beat(BEAT)
        await bench.store.beat(BUSY)
        (record,) = await bench.store.workers()
        assert (record.heartbeat.memory, record.heartbeat.replaces) == (BUSY.memory, BUSY.replaces)

    async def test_a_worker_with_nothing_to_do_takes_back_what_it_told(self, bench: Bench) -> None:
        await bench.store.beat(BUSY)
        await bench.store.beat(IDLE)
        (record,) = await bench.store.workers()
        assert record.heartbeat == IDLE

    async def test_workers_of_all_handles_are_seen(self, bench: Bench, other: Store) -> None:
        await bench.store.beat(BEAT)
        await other.beat(NEW)
        assert [record.heartbeat for record in await bench.store.workers()] == [BEAT, NEW]

    async def test_a_later_beat_replaces_an_earlier_one(self, bench: Bench) -> None:
        start = bench.clock.now()
        await bench.store.beat(BEAT)
        bench.clock.advance(5)
        later = replace(BEAT, running=7)
        await bench.store.beat(later)
        (record,) = await bench.store.workers()
        assert (record.heartbeat, record.first_seen, record.last_seen) == (later, start, start + seconds(5))

    async def test_workers_are_given_by_name(self, bench: Bench) -> None:
        for name in ("b", "c", "a"):
            await bench.store.beat(replace(BEAT, worker=name))
        assert [record.heartbeat.worker for record in await bench.store.workers()] == ["a", "b", "c"]

    async def test_a_worker_is_late_when_three_beats_have_been_missed(self, bench: Bench) -> None:
        await bench.store.beat(BEAT)
        bench.clock.advance(14)
        assert [record.late for record in await bench.store.workers()] == [False]
        bench.clock.advance(2)
        assert [record.late for record in await bench.store.workers()] == [True]
        await bench.store.beat(BEAT)
        assert [record.late for record in await bench.store.workers()] == [False]

    async def test_every_worker_seen_in_the_last_hour_is_listed(self, bench: Bench) -> None:
        await bench.store.beat(BEAT)
        bench.clock.advance(3599)
        assert len(await bench.store.workers()) == 1
        bench.clock.advance(2)
        assert await bench.store.workers() == ()

    async def test_a_worker_that_has_stopped_is_forgotten_and_unknown_names_are_no_error(self, bench: Bench) -> None:
        await bench.store.beat(BEAT)
        await bench.store.retire("worker-1")
        await bench.store.retire("nobody")
        assert await bench.store.workers() == ()

    async def test_the_first_beat_of_a_new_fingerprint_makes_the_parked_messages_of_its_queues_due(
        self, bench: Bench
    ) -> None:
        await bench.store.beat(BEAT)
        delivery = await bench.running()
        await bench.apply(Park("unknown task", "registry-1", seconds(300)), fence=delivery.fence)
        with Ear(bench.store) as ear:
            await bench.store.beat(NEW)
            await ear.hears_of_queue("default")
        assert await bench.leased_ids(fingerprint="registry-2") == [delivery.fence.task_id]

    async def test_a_registry_that_refused_keeps_being_passed_over_when_another_appears(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.apply(Park("unknown task", "registry-1", seconds(300)), fence=delivery.fence)
        await bench.store.beat(NEW)
        await bench.store.beat(BEAT)
        assert await bench.leased_ids(fingerprint="registry-1") == []
        bench.clock.advance(300)
        assert await bench.leased_ids(fingerprint="registry-1") == [delivery.fence.task_id]
