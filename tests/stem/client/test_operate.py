"""What operators do to queues, and to many tasks at once."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock, call

import pytest

from stem.adapters.memory import MemoryStore
from stem.client.control import Controller
from stem.client.inspect import Inspector
from stem.client.operate import Operator
from stem.contracts.changes import UniqueKey
from stem.contracts.queries import TaskFilter
from stem.errors import EnqueueError
from stem.stores.committer import Committer
from stem.tasks.links import After
from stem.tasks.state import TaskState
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench, publish, seconds
from tests.stem.client.support import bury, succeed


@pytest.fixture
def operator(store: MemoryStore, committer: Committer, inspector: Inspector, clock: ManualClock) -> Operator:
    return Operator(store, committer, inspector, Controller(store, clock=clock))


async def test_a_paused_queue_gives_nothing_until_it_is_resumed(bench: Bench, operator: Operator) -> None:
    task_id = await bench.put()
    await operator.pause("default", reason="the bank is down")
    assert await bench.leased_ids() == []
    assert [(pause.queue, pause.reason) for pause in await operator.pauses()] == [("default", "the bank is down")]
    assert (await operator.resume("default"), await operator.resume("default")) == (True, False)
    assert await bench.leased_ids() == [task_id]


async def test_only_what_waits_is_chosen_to_be_purged(bench: Bench, operator: Operator) -> None:
    await bench.put()
    await succeed(bench)
    await bench.running()
    waits, other = await bench.put(delay=seconds(60)), await bench.put(queue="other")
    assert [task.id for task in await operator.waiting(TaskFilter(queue="default"))] == [waits]
    assert [task.id for task in await operator.waiting(TaskFilter())] == [other, waits]


async def test_a_glob_chooses_the_names_that_it_matches(bench: Bench, operator: Operator) -> None:
    ids = [await bench.put(name=name) for name in ("mail.send", "mail.sort", "broadcast:mail.sort", "shop.sell")]
    chosen = {task.id for task in await operator.live(TaskFilter(name="mail.*"))}
    assert chosen == set(ids[:3])
    assert [task.id for task in await operator.live(TaskFilter(name="broadcast:*"))] == [ids[2]]
    assert len(await operator.live(TaskFilter(name="*"), limit=2)) == 2


async def test_what_runs_is_live_and_what_has_ended_is_not(bench: Bench, operator: Operator) -> None:
    await bench.put()
    await succeed(bench)
    delivery = await bench.running()
    assert [task.id for task in await operator.live(TaskFilter())] == [delivery.fence.task_id]


async def test_what_is_cancelled_ends(bench: Bench, operator: Operator) -> None:
    for _ in range(450):
        await bench.put()
    watch = Mock()
    tasks = await operator.waiting(TaskFilter())
    swept = await operator.cancel(tasks, watch=watch)
    assert (len(swept.ids), swept.refused) == (450, {})
    assert watch.call_args_list == [call(200, 450), call(400, 450), call(450, 450)]
    assert {record.state for record in (await bench.everything()).values()} == {TaskState.CANCELLED}


async def test_dead_letters_are_chosen_by_when_they_died_and_how_many(bench: Bench, operator: Operator) -> None:
    ids: list[str] = []
    for _ in range(3):
        await bench.put()
        ids.append(await bury(bench))
        bench.clock.advance(60)
    late = TaskFilter(ended_since=bench.clock.now() - seconds(150))
    assert [task.id for task in await operator.dead(late)] == [ids[2], ids[1]]
    assert [task.id for task in await operator.dead(TaskFilter(), limit=1)] == [ids[2]]


async def test_a_replayed_letter_is_due_after_its_delay(bench: Bench, operator: Operator) -> None:
    await bench.put()
    dead = await bury(bench)
    swept = await operator.replay(await operator.dead(TaskFilter()), delay=timedelta(seconds=30))
    assert (swept.ids, await bench.leased_ids()) == ((dead,), [])
    bench.clock.advance(31)
    assert await bench.leased_ids() == [dead]


async def test_a_chain_that_failed_is_replayed_in_its_order(bench: Bench, operator: Operator) -> None:
    first = publish()
    bench.clock.advance(1)
    await bench.apply(first)
    bench.clock.advance(1)
    await bench.apply(publish()._replace(after=After(first.envelope.id)))
    await bury(bench)
    ended = list((await bench.store.list_tasks(TaskFilter(), limit=9)).records)
    swept = await operator.replay(ended)
    assert (len(swept.ids), swept.refused) == (2, {})
    assert await bench.leased_ids(2) == [first.envelope.id]


async def test_a_discarded_letter_is_no_longer_among_the_dead(bench: Bench, operator: Operator) -> None:
    await bench.put()
    dead = await bury(bench)
    assert (await operator.discard(await operator.dead(TaskFilter()))).ids == (dead,)
    assert await operator.dead(TaskFilter()) == []
    assert await bench.state(dead) is TaskState.FAILED


async def test_one_that_cannot_be_changed_has_its_error_and_the_others_are_changed(
    bench: Bench, operator: Operator
) -> None:
    key = UniqueKey("k")
    await bench.put(unique=key)
    first = await bury(bench)
    await bench.put()
    second = await bury(bench)
    await bench.apply(publish(unique=key))
    swept = await operator.replay(await operator.dead(TaskFilter()))
    assert (swept.ids, list(swept.refused)) == ((second,), [first])
    assert isinstance(swept.refused[first], EnqueueError)


async def test_a_revoked_task_that_waits_is_cancelled(bench: Bench, operator: Operator) -> None:
    task_id = await bench.put()
    await operator.revoke([task_id], reason="mistake")
    assert await bench.state(task_id) is TaskState.CANCELLED


async def test_an_id_that_is_not_known_yet_is_revoked_for_its_time(
    bench: Bench, store: MemoryStore, operator: Operator
) -> None:
    await operator.revoke(["later"], reason="mistake", requested_by="ada", expires=timedelta(hours=1))
    (revocation,) = await store.revoked(["later"])
    assert (revocation.reason, revocation.requested_by) == ("mistake", "ada")
    bench.clock.advance(timedelta(hours=1))
    assert await store.revoked(["later"]) == ()


async def test_a_revocation_can_be_taken_back(bench: Bench, store: MemoryStore, operator: Operator) -> None:
    await operator.revoke(["later"], expires=None)
    bench.clock.advance(1)
    await operator.unrevoke(["later"])
    assert await store.revoked(["later"]) == ()


async def test_a_replay_takes_a_revocation_back(bench: Bench, store: MemoryStore, operator: Operator) -> None:
    task_id = await bench.put()
    await operator.revoke([task_id])
    bench.clock.advance(1)
    await operator.replay([await bench.record(task_id)])
    assert await store.revoked([task_id]) == ()
    assert await bench.leased_ids() == [task_id]
