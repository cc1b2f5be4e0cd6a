"""Being woken over a server: across stores, after a lost connection, and when a message was lost."""

from __future__ import annotations

import asyncio

from stem.adapters.redis import RedisStore, open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
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
    bench: Bench, store: RedisStore, shared: RedisServer
) -> None:
    other = await _second(store, shared)
    with Ear(other) as ear:
        await _subscribed(ear)
        await store.server.command("HINCRBY", store.server.keys[-2], "notices", 1)
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
