"""The server's clock decides, whatever the machine of a client believes."""

from __future__ import annotations

import time

from stem.adapters.redis import open_store
from stem.adapters.redis.connection import time_for
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.ids import new_id
from stem.testing.clock import ManualClock
from tests.servers import RedisServer


def test_only_a_clock_that_was_injected_is_told_to_the_server() -> None:
    assert time_for(SystemClock()) == ""
    assert time_for(ManualClock(7)) == "7"


async def test_the_time_of_the_store_is_the_servers(shared: RedisServer) -> None:
    store = await open_store(shared.url, StoreOptions(namespace=new_id()))
    seconds, micros = await store.server.command("TIME")
    assert 0 <= await store.now() - (int(seconds) * 1_000_000 + int(micros)) < 60_000_000
    assert abs(await store.now() / 1e6 - time.time()) < 60
    await store.aclose()
