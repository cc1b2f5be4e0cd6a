"""What an operator asks of the store, and the two things an operator does: cancel and replay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stem.adapters.memory import MemoryStore
from stem.client.inspect import Inspector
from stem.contracts.changes import Change, UniqueKey, Verdict
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.queries import TaskFilter
from stem.contracts.store import Store
from stem.errors import EnqueueError, InvalidTransition, StoreUnavailable, UnknownId
from stem.stores.committer import Committer
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import SECOND, Bench, seconds
from tests.stem.client.support import bury, succeed


def beat(*queues: str) -> Heartbeat:
    return Heartbeat(
        worker="w1", host="h", pid=1, fingerprint="f", queues=queues, concurrency=4, running=0, every=5 * SECOND
    )


class TestLooking:
    async def test_every_task_goes_through_all_pages(self, bench: Bench, inspector: Inspector) -> None:
        ids = {await bench.put() for _ in range(450)}
        assert {record.id async for record in inspector.every_task(TaskFilter())} == ids

    async def test_a_page_is_as_long_as_asked_and_tells_how_to_go_on(self, bench: Bench, inspector: Inspector) -> None:
        for _ in range(5):
            await bench.put()
        first = await inspector.tasks(TaskFilter(), limit=3)
        rest = await inspector.tasks(TaskFilter(), limit=3, after=first.after)
        assert (len(first.records), len(rest.records), rest.after) == (3, 2, None)

    async def test_the_dead_letters_are_those_that_were_buried(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put()
        dead = await bury(bench)
        await bench.put()
        await succeed(bench)
        page = await inspector.dead_letters(TaskFilter())
        assert [record.id for record in page.records] == [dead]

    async def test_queues_and_names_are_counted(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put(queue="a", name="tests.one")
        await bench.put(queue="b", name="tests.one")
        assert [(count.queue, dict(count.counts)) for count in await inspector.queues()] == [
            ("a", {TaskState.QUEUED: 1}),
            ("b", {TaskState.QUEUED: 1}),
        ]
        assert dict(await inspector.task_names()) == {"tests.one": 2}

    async def test_an_engine_without_settings_that_lose_work_warns_of_none(self, inspector: Inspector) -> None:
        assert await inspector.warnings() == ()

    async def test_the_warnings_of_an_engine_are_passed_on(self, store: MemoryStore, inspector: Inspector) -> None:
        async def warnings() -> tuple[str, ...]:
            return ("nothing is written to disk",)

        store.warnings = warnings  # type: ignore[attr-defined]  # what an engine may offer besides the contract
        assert await inspector.warnings() == ("nothing is written to disk",)

    async def test_an_unknown_id_is_an_error(self, inspector: Inspector) -> None:
        with pytest.raises(UnknownId) as unknown:
            await inspector.status("nobody")
        assert unknown.value.code == "STEM-E048"


class TestHealth:
    async def test_an_empty_store_is_healthy(self, inspector: Inspector) -> None:
        assert (await inspector.health()).is_good

    async def test_due_work_without_a_worker_is_not(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put(queue="a")
        health = await inspector.health()
        assert (health.is_good, health.unserved) == (False, ("a",))

    async def test_a_live_worker_of_the_queue_makes_it_so(
        self, bench: Bench, inspector: Inspector, store: Store
    ) -> None:
        await bench.put(queue="a")
        await store.beat(beat("a"))
        assert (await inspector.health()).is_good

    async def test_a_worker_of_another_queue_does_not(self, bench: Bench, inspector: Inspector, store: Store) -> None:
        await bench.put(queue="a")
        await store.beat(beat("b"))
        assert (await inspector.health()).unserved == ("a",)

    async def test_a_worker_that_missed_three_beats_does_not(
        self, bench: Bench, inspector: Inspector, store: Store
    ) -> None:
        await bench.put(queue="a")
        await store.beat(beat("a"))
        bench.clock.advance(16)
        assert (await inspector.health()).unserved == ("a",)

    async def test_work_that_is_not_due_yet_needs_no_worker(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put(queue="a", delay=seconds(60))
        assert (await inspector.health()).is_good


class TestReplay:
    async def test_a_dead_letter_is_queued_again(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put()
        dead = await bury(bench)
        assert (await inspector.replay(dead)).state is TaskState.QUEUED
        assert (await inspector.dead_letters(TaskFilter())).records == ()
        assert await succeed(bench) == dead

    async def test_a_replay_whose_answer_was_lost_is_applied_once(
        self, bench: Bench, store: MemoryStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await bench.put()
        dead = await bury(bench)
        commit = store.commit

        async def lose_the_answer(changes: Sequence[Change]) -> list[Verdict]:
            monkeypatch.setattr(store, "commit", commit)
            await commit(changes)
            raise StoreUnavailable(expected="an answer", found="none", do="Wait.")

        monkeypatch.setattr(store, "commit", lose_the_answer)
        committer = Committer(store, clock=clock)
        replaying = asyncio.ensure_future(Inspector(store, committer).replay(dead))
        await clock.run_for(1)
        assert (await replaying).state is TaskState.QUEUED
        assert (await bench.record(dead)).generation == 1

    async def test_a_task_that_has_not_failed_cannot_be_replayed(self, bench: Bench, inspector: Inspector) -> None:
        task_id = await bench.put()
        with pytest.raises(InvalidTransition) as refused:
            await inspector.replay(task_id)
        assert refused.value.expected == "a task that is cancelled, expired, failed"

    async def test_an_unknown_id_cannot_be_replayed(self, inspector: Inspector) -> None:
        with pytest.raises(UnknownId):
            await inspector.replay("nobody")

    async def test_a_replay_whose_unique_key_is_taken_says_so(self, bench: Bench, inspector: Inspector) -> None:
        await bench.put(unique=UniqueKey("k"))
        dead = await bury(bench)
        await bench.put(unique=UniqueKey("k"))
        with pytest.raises(EnqueueError, match="unique key"):
            await inspector.replay(dead)


class TestCancel:
    async def test_what_waits_is_cancelled_at_once(self, bench: Bench, inspector: Inspector) -> None:
        assert (await inspector.cancel(await bench.put())).state is TaskState.CANCELLED

    async def test_an_unknown_id_cannot_be_cancelled(self, inspector: Inspector) -> None:
        with pytest.raises(UnknownId):
            await inspector.cancel("nobody")
