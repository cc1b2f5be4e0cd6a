"""Leases that are asked for without a coroutine: the same answers and the same news, or the word to ask again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stem.adapters.redis import open_store
from stem.adapters.redis.connection import Kind
from stem.adapters.redis.store import RedisStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.contracts.store import LeaseAnswer, LeaseRequest
from stem.ids import new_id
from stem.testing.contracts import publish
from tests.servers import RedisServer


@pytest.fixture
async def store(shared: RedisServer) -> AsyncIterator[RedisStore]:
    store = await open_store(shared.url, StoreOptions(namespace=new_id()))
    yield store
    await store.aclose()


def _request(**weights: int) -> LeaseRequest:
    return LeaseRequest(request_id=new_id(), worker="w", fingerprint="f", queues=weights or {"default": 1}, limit=5)


async def _sought(store: RedisStore, request: LeaseRequest) -> LeaseAnswer | None:
    told: asyncio.Future[LeaseAnswer | None] = asyncio.get_running_loop().create_future()
    assert store.seek(request, told.set_result)
    return await asyncio.wait_for(told, 5)


async def test_nothing_is_sought_over_a_line_that_was_never_opened(store: RedisStore) -> None:
    assert not store.seek(_request(), lambda answer: pytest.fail("nobody is to be told"))


async def test_what_is_sought_is_leased(store: RedisStore) -> None:
    await store.lease(_request())
    published = publish()
    await store.commit([Change((published,))])
    request = _request()

    answer = await _sought(store, request)

    assert answer is not None
    assert [delivery.fence.task_id for delivery in answer.deliveries] == [published.envelope.id]
    assert (await store.lease(request)).deliveries == answer.deliveries


async def test_the_turns_of_queues_go_on_from_call_to_call(store: RedisStore) -> None:
    await store.lease(_request())
    await store.commit([Change((publish(queue=queue),)) for queue in ("a", "b") for _ in range(8)])
    found: list[str] = []
    for _ in range(8):
        request = LeaseRequest(request_id=new_id(), worker="w", fingerprint="f", queues={"a": 3, "b": 1}, limit=1)
        answer = await _sought(store, request)
        assert answer is not None
        found += [delivery.queue for delivery in answer.deliveries]

    assert sorted(found) == ["a"] * 6 + ["b"] * 2


async def test_a_connection_that_dies_under_a_call_lets_it_be_made_again(store: RedisStore) -> None:
    await store.lease(_request())
    told: list[LeaseAnswer | None] = []
    assert store.seek(_request(), told.append)
    store.server._lines[Kind.LEASES].hang_up()  # pyright: ignore[reportPrivateUsage]  # the line of leases
    assert told == [None]
