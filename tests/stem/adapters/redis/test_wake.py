"""Being woken over a server: across stores, after a lost connection, and when a message was lost."""

from __future__ import annotations

import asyncio

import pytest

from stem.adapters.redis import RedisStore, open_store, wake
from stem.adapters.redis.scripts import KEYS
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change, Settle
from stem.tasks.state import TaskEvent
from stem.testing.contracts import Bench, Ear, publish
from tests.servers import RedisServer


async def _second(store: RedisStore, shared: RedisServer) -> RedisStore:
    namespace = store.server.keys[0].removeprefix("{stem:").removesuffix("}:rows")
    return await open_store(shared.url, StoreOptions(namespace=namespace))


async def _subscribed(ear: Ear) -> None:
    """The first notice of a subscription is that anything may have happened before it."""
    await ear.hears_of_task("nobody")
    assert ear.notices[0].everything
    ear.notices.clear()


async def test_another_store_hears_exactly_what_happened(bench: Bench, store: RedisStore, shared: RedisServer) -> None:
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await bench.put(queue="mail")
        await ear.hears_of_queue("mail")
        assert ear.notices[0].queues == {"mail"}
    await other.aclose()


async def test_a_store_hears_of_its_own_commit_once_and_before_commit_returns(bench: Bench, store: RedisStore) -> None:
    with Ear(store) as ear:
        await _subscribed(ear)
        await bench.put(queue="mail")
        await ear.hears_of_queue("mail")
        await store.now()
        assert [notice.queues for notice in ear.notices if not notice.everything] == [{"mail"}]


async def test_a_store_hears_of_a_commit_whose_caller_was_cancelled(bench: Bench, store: RedisStore) -> None:
    with Ear(store) as ear:
        await _subscribed(ear)
        await bench.put(queue="first")  # the connection is open
        cancelled = asyncio.ensure_future(store.commit([Change((publish(queue="mail"),))]))
        await asyncio.sleep(0)
        cancelled.cancel()
        await ear.hears_of_queue("mail")


async def test_small_results_come_with_the_notice_byte_for_byte_and_large_ones_do_not(
    bench: Bench, store: RedisStore, shared: RedisServer
) -> None:
    given = [b"1", b"\x00\xff\n{", b"x" * 2_000, b""]
    ids = [await bench.put() for _ in given]
    held = [await bench.delivery() for _ in given]
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        ends = [(Settle(TaskEvent.SUCCEEDED, result), each.fence) for result, each in zip(given, held, strict=True)]
        await store.commit([Change((write,), fence) for write, fence in ends])
        await ear.hears_of_task(ids[0])
        told = {task: result for notice in ear.notices for task, result in notice.results.items()}
    await other.aclose()

    by_id = {each.fence.task_id: result for each, result in zip(held, given, strict=True)}
    assert told == {task: result for task, result in by_id.items() if len(result) <= 1_024}


async def test_a_result_that_nobody_keeps_is_not_told(bench: Bench, store: RedisStore, shared: RedisServer) -> None:
    task_id = await bench.put(ignore_result=True)
    held = await bench.delivery()
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await store.commit([Change((Settle(TaskEvent.SUCCEEDED, b"1"),), held.fence)])
        await ear.hears_of_task(task_id)
        assert [notice.results for notice in ear.notices if task_id in notice.tasks] == [{}]
    await other.aclose()


async def test_a_batch_with_more_news_than_fits_says_that_everything_happened(
    store: RedisStore, shared: RedisServer
) -> None:
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await store.commit([Change((publish(queue=f"queue-{number}"),)) for number in range(50)])
        await ear.hears_of_queue("queue-49")
        assert len(ear.notices[0].queues) == 50
    await other.aclose()


async def test_a_listener_whose_connection_was_cut_hears_again(
    bench: Bench, store: RedisStore, shared: RedisServer
) -> None:
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await store.server.command("CLIENT KILL", "TYPE", "pubsub")
        await _subscribed(ear)
        await bench.put(queue="mail")
        await ear.hears_of_queue("mail")
        assert any("mail" in notice.queues for notice in ear.notices)
    await other.aclose()


async def test_a_message_that_was_lost_is_noticed_by_the_poll(
    bench: Bench, store: RedisStore, shared: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "SLOW_POLL_SECONDS", 0.1)
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await store.server.command("HINCRBY", store.server.keys[KEYS.index("numbers")], "seq", 1)
        await ear.hears_of_task("nobody")
        assert ear.notices[-1].everything
    await other.aclose()


async def test_nothing_goes_on_in_the_background_when_nobody_listens(store: RedisStore) -> None:
    with Ear(store) as ear:
        await _subscribed(ear)
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not any(name.startswith("stem-redis") for name in names)
