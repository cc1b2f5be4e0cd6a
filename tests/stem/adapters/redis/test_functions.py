"""Scripts that the server keeps as functions, and every way in which it may not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stem.adapters.redis import open_store
from stem.adapters.redis.driver import Refusal
from stem.adapters.redis.functions import Caller
from stem.adapters.redis.lines import Line
from stem.adapters.redis.route import Route
from stem.adapters.redis.scripts import script
from stem.adapters.redis.store import RedisStore
from stem.adapters.redis.url import parse_url
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Cancel, Change, RefusalCode, Refused
from stem.errors import StoreFull
from stem.testing.contracts import publish
from tests.servers import RedisServer


@pytest.fixture
async def watched(own: RedisServer) -> AsyncIterator[RedisStore]:
    if not own.start().keeps_functions:
        pytest.skip("this server keeps no functions: Redis before 7.0")
    store = await open_store(own.url, StoreOptions())
    yield store
    await store.aclose()


async def _calls(store: RedisStore, command: str) -> int:
    """How often the server was called so, refusals too."""
    stats = (await store.server.command("INFO", "commandstats")).get(f"cmdstat_{command}", {})
    return int(stats.get("calls", 0)) + int(stats.get("rejected_calls", 0))


async def _forbid(store: RedisStore, *words: str) -> None:
    await store.server.command("ACL SETUSER", "default", *words)


async def test_commits_and_leases_are_calls_of_functions_where_the_server_has_them(watched: RedisStore) -> None:
    before = await _calls(watched, "evalsha")
    assert await watched.commit([Change((publish(),))]) == [APPLIED]
    assert await _calls(watched, "fcall") == 2  # the first was told that it has to bring the function
    assert await _calls(watched, "evalsha") == before


async def test_a_server_that_forgot_its_functions_is_sent_them_again(watched: RedisStore) -> None:
    message = publish()
    await watched.commit([Change((message,))])
    await watched.server.command("FUNCTION FLUSH")
    assert await watched.commit([Change((Cancel(message.envelope.id),))]) == [APPLIED]


async def test_a_server_that_knows_a_function_at_no_time_is_asked_for_it_twice() -> None:
    asked: list[str] = []

    class Forgetful(Line):
        async def call(self, command: bytes) -> object:
            asked.append(command.split(b"\r\n")[2].decode())
            if asked[-1] == "FCALL":
                raise Refusal("Function not found")
            return b"done"

    line = Forgetful(Route(parse_url("redis://localhost"), "key"))
    assert await Caller(()).call(line, script("commit"), ("",)) == b"done"
    assert asked == ["FCALL", "FUNCTION", "FCALL", "FUNCTION", "EVALSHA"]


async def test_what_one_call_knew_another_does_not(watched: RedisStore) -> None:
    await watched.commit([Change((publish(queue=f"q{number}"),)) for number in range(3)])
    letters, _, queues, tasks = await watched.server.run("commit", watched.server.channel, "origin", b"", b"")
    assert (letters, queues, tasks) == (b"", [], [])


@pytest.mark.parametrize("right", ["-fcall", "-function"])
async def test_a_user_who_may_use_no_functions_uses_scripts(right: str, watched: RedisStore) -> None:
    await _forbid(watched, right)
    await watched.commit([Change((publish(),))])
    asked = await _calls(watched, "fcall")
    assert await watched.commit([Change((publish(),))]) == [APPLIED]
    assert await _calls(watched, "fcall") == asked


async def test_a_full_memory_refuses_a_function_but_not_a_script_that_stores_nothing(watched: RedisStore) -> None:
    await watched.commit([Change((publish(),))])
    await watched.server.command("CONFIG SET", "maxmemory", "1")
    assert await watched.commit([Change((Cancel("unknown"),))]) == [Refused(RefusalCode.UNKNOWN_ID, "no task unknown")]
    with pytest.raises(StoreFull):
        await watched.commit([Change((publish(),))])
    await watched.server.command("CONFIG SET", "maxmemory", "0")
    before = await _calls(watched, "evalsha")
    assert await watched.commit([Change((publish(),))]) == [APPLIED]
    assert await _calls(watched, "evalsha") == before
