"""What is published while a worker waits: when it is handed over, and when not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from stem.adapters.redis import RedisStore, open_store
from stem.adapters.redis.scripts import KEYS
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import FENCED, Change, Publish, UniqueKey
from stem.contracts.limits import TaskLimit
from stem.contracts.store import Handed
from stem.ids import new_id
from stem.tasks.rates import parse_rate
from stem.tasks.state import TaskState
from stem.tasks.status import TaskRecord
from stem.testing.contracts import Bench, Ear, publish
from stem.testing.contracts.build import SUCCESS, seconds


@pytest.fixture
async def ear(bench: Bench) -> AsyncIterator[Ear]:
    """A worker that listens."""
    with Ear(bench.store) as ear:
        await ear.hears_of_task("nobody")
        yield ear


async def _stand(bench: Bench, name: str = "first") -> None:
    assert await bench.leased_ids(5, stands_as=name, started=5) == []


async def _handed(ear: Ear, store: RedisStore) -> list[Handed]:
    """What was handed over so far: the server tells in order, and of another store's message after that."""
    ear.notices = [notice for notice in ear.notices if not notice.everything]
    namespace = store.server.keys[0].removeprefix("{stem:").removesuffix("}:rows")
    other = await open_store(str(store.server.place), StoreOptions(namespace=namespace))
    await other.broadcast("later", b"", message_id=new_id())
    await ear.hears_of_channel("later")
    await other.aclose()
    return [notice.handed for notice in ear.notices if notice.handed is not None]


def _alike(record: TaskRecord) -> TaskRecord:
    """All but what says which one it is; the first was not marked as started by its lease."""
    return replace(record, id="", root="", envelope=b"", started_at=None)


async def test_what_is_published_alone_is_leased_to_who_waits_and_sent_to_it(
    bench: Bench, store: RedisStore, ear: Ear
) -> None:
    await _stand(bench)
    bench.clock.advance(2)
    task_id = await bench.put()

    (handed,) = await _handed(ear, store)

    (delivery,) = handed.deliveries
    assert (handed.stands_as, handed.since, delivery.fence.task_id) == ("first", seconds(2), task_id)
    record = await bench.record(task_id)
    assert (record.state, record.worker, record.started_at) == (TaskState.RUNNING, "worker-1", bench.clock.now())
    await bench.apply(SUCCESS, fence=delivery.fence)
    assert [count.counts for count in await store.queues()] == [{TaskState.SUCCEEDED: 1}]


async def test_its_record_is_that_of_any_lease(bench: Bench, store: RedisStore, ear: Ear) -> None:
    usual = await bench.running()
    await _stand(bench)
    await bench.put()

    ((handed,),) = [found.deliveries for found in await _handed(ear, store)]

    assert handed._replace(fence=usual.fence, body=usual.body, started=usual.started) == usual
    first, second = (await bench.everything()).values()
    assert _alike(first) == _alike(second)


async def test_a_request_is_given_one_message(bench: Bench, store: RedisStore, ear: Ear) -> None:
    await _stand(bench)
    await bench.put()
    second = await bench.put()

    assert len(await _handed(ear, store)) == 1
    assert await bench.leased_ids(5) == [second]


async def test_who_asked_last_is_served(bench: Bench, store: RedisStore, ear: Ear) -> None:
    await _stand(bench, "first")
    await _stand(bench, "second")
    await bench.put()

    assert [handed.stands_as for handed in await _handed(ear, store)] == ["second"]


@pytest.mark.parametrize(
    "write",
    [publish(delay=1), publish(unique=UniqueKey("k")), publish(expires=10**18), publish(payload=b"x" * 100_000)],
    ids=["delayed", "unique", "expires", "large"],
)
async def test_what_is_not_ordinary_waits_in_line(bench: Bench, store: RedisStore, ear: Ear, write: Publish) -> None:
    await _stand(bench)
    await bench.apply(write)
    assert await _handed(ear, store) == []


async def test_two_at_once_wait_in_line(bench: Bench, store: RedisStore, ear: Ear) -> None:
    await _stand(bench)
    await store.commit([Change((publish(),)), Change((publish(),))])
    assert await _handed(ear, store) == []


async def test_nothing_is_handed_over_where_limits_are_declared(bench: Bench, store: RedisStore, ear: Ear) -> None:
    await store.declare_limits([TaskLimit(name="tests.task", shared="tests.task", rate=parse_rate("1/s"))])
    await _stand(bench)
    await bench.put()
    assert await _handed(ear, store) == []


async def test_a_request_stands_a_little_longer_than_its_worker_waits(
    bench: Bench, store: RedisStore, ear: Ear
) -> None:
    await _stand(bench)
    bench.clock.advance(7)
    await bench.put()
    assert await _handed(ear, store) == []


async def test_nothing_is_given_to_who_listens_no_more(bench: Bench, store: RedisStore) -> None:
    await _stand(bench)
    task_id = await bench.put()
    assert await bench.leased_ids(5, worker="worker-2") == [task_id]


async def test_what_a_frozen_worker_was_handed_goes_to_another(bench: Bench, store: RedisStore, ear: Ear) -> None:
    await _stand(bench)
    await bench.put()
    ((delivery,),) = [handed.deliveries for handed in await _handed(ear, store)]

    bench.clock.advance(5)
    (rescued,) = await bench.take(await bench.suspect(delivery.fence))

    await bench.apply(SUCCESS, fence=rescued.fence)
    assert await bench.write(SUCCESS, fence=delivery.fence) == FENCED


async def test_requests_of_workers_that_are_gone_are_forgotten(bench: Bench, store: RedisStore) -> None:
    await _stand(bench)
    bench.clock.advance(7)
    await store.retain(10)
    assert await store.server.command("EXISTS", store.server.keys[KEYS.index("standing")]) == 0
