"""Commits that are sent without a coroutine: the same verdicts and the same news, or the word to commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stem.adapters.redis import open_store
from stem.adapters.redis.connection import Kind
from stem.adapters.redis.store import RedisStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, RefusalCode, Refused, Verdict
from stem.contracts.store import Notice
from stem.ids import new_id
from stem.testing.contracts import publish
from tests.servers import RedisServer


@pytest.fixture
async def store(shared: RedisServer) -> AsyncIterator[RedisStore]:
    store = await open_store(shared.url, StoreOptions(namespace=new_id()))
    yield store
    await store.aclose()


async def _post(store: RedisStore, *changes: Change) -> list[Verdict] | None:
    told: asyncio.Future[list[Verdict] | None] = asyncio.get_running_loop().create_future()
    assert store.post(changes, told.set_result)
    return await asyncio.wait_for(told, 5)


async def test_a_post_over_a_line_that_was_never_opened_is_none(store: RedisStore) -> None:
    assert not store.post([Change((publish(),))], lambda verdicts: pytest.fail("nobody is to be told"))


async def test_a_post_is_a_commit(store: RedisStore) -> None:
    first, second = publish(), publish()
    assert await store.commit([Change((first,))]) == [APPLIED]
    too_urgent = publish()._replace(envelope=publish().envelope._replace(priority=300))
    refused = Refused(RefusalCode.REJECTED, "the priority 300")
    assert await _post(store, Change((too_urgent,)), Change((second,))) == [refused, APPLIED]
    assert set(await store.get([second.envelope.id])) == {second.envelope.id}


async def test_those_who_listen_hear_of_a_post(store: RedisStore) -> None:
    heard: list[Notice] = []
    await store.commit([Change((publish(),))])
    store.listen(heard.append)
    await _post(store, Change((publish(queue="urgent"),)))
    assert [notice.queues for notice in heard if notice.queues] == [frozenset({"urgent"})]


async def test_a_post_with_nothing_that_can_be_sent_is_none(store: RedisStore) -> None:
    await store.commit([Change((publish(),))])
    assert not store.post([Change(())], lambda verdicts: pytest.fail("nobody is to be told"))


async def test_a_connection_that_dies_under_a_post_asks_for_a_commit(store: RedisStore) -> None:
    await store.commit([Change((publish(),))])
    told: list[list[Verdict] | None] = []
    assert store.post([Change((publish(),))], told.append)
    store.server._lines[Kind.NEWS].hang_up()  # pyright: ignore[reportPrivateUsage]  # the line that a publish takes
    assert told == [None]


async def test_a_server_that_forgot_its_scripts_asks_for_a_commit(own: RedisServer) -> None:
    own.start()
    store = await open_store(own.url, StoreOptions())
    await store.commit([Change((publish(),))])
    await store.server.command("SCRIPT FLUSH")
    if own.keeps_functions:
        await store.server.command("FUNCTION FLUSH")
    assert await _post(store, Change((publish(),))) is None
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()
