"""What does not fit a Redis is one clear error with its code, nothing is half-done, and what was accepted goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from stem.adapters.redis import open_store
from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Change, Refused
from stem.errors import ConfigError, StemError, StoreError, StoreFull
from stem.tasks.state import TaskState
from stem.testing.contracts import publish
from tests.scenarios.support.crew import assert_consumes, working
from tests.scenarios.support.jobs import HELD, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard
from tests.servers import RedisServer

pytestmark = pytest.mark.server
SECRET = "open-sesame"
ADVISED = ("~{stem:*}*", "resetchannels", "&{stem:*}*", "+@all", "-@dangerous")


async def refused(url: str) -> StemError:
    """The error of who opens this store and enqueues one task; it holds no secret."""
    with pytest.raises(StemError) as caught:
        async with Stem(url) as stem:
            await WORK.enqueue(stem, 0.0)
    assert str(caught.value).startswith(f"[{caught.value.code}] expected ")
    assert SECRET not in str(caught.value)
    return caught.value


@asynccontextmanager
async def _old_server() -> AsyncGenerator[int]:
    """Says of itself that it is a Redis 5; the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = "redis_version:5.0.14\r\nrole:master\r\n"
        while line := await reader.readline():
            words = [(await reader.readline(), await reader.readline())[1].strip() for _ in range(int(line[1:]))]
            writer.write(f"${len(info)}\r\n{info}\r\n".encode() if words[0].upper() == b"INFO" else b"*0\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_that_is_too_old_is_refused() -> None:
    async with _old_server() as port:
        error = await refused(f"redis://127.0.0.1:{port}")
    assert isinstance(error, ConfigError)
    assert (error.found, error.do) == ("Redis 5.0.14", "Upgrade the server.")
    assert "6.2" in error.expected


@pytest.mark.parametrize("missing", ["-eval -fcall", "-evalsha -fcall", "-hget -exists", "~other:* resetkeys"])
async def test_a_user_without_the_rights_is_told_which_it_needs(missing: str, redis: RedisServer) -> None:
    known = missing if redis.start().keeps_functions else missing.replace("-fcall", "")
    redis.tell("ACL", "SETUSER", "app", "on", f">{SECRET}", *ADVISED, *known.split())
    error = await refused(f"redis://app:{SECRET}@127.0.0.1:{redis.port}")
    assert isinstance(error, ConfigError)
    assert "+@all -@dangerous" in error.do
    async with Stem(redis.url) as stem:
        assert await stem.inspect.queues() == ()


async def test_the_rights_that_the_advice_names_are_enough_for_a_worker(redis: RedisServer, journal: Journal) -> None:
    redis.start()
    redis.tell("ACL", "SETUSER", "app", "on", f">{SECRET}", *ADVISED)
    url = f"redis://app:{SECRET}@127.0.0.1:{redis.port}"
    async with working(url), Stem(url) as stem:
        await assert_consumes(stem, journal)


async def test_a_value_larger_than_the_engine_takes_is_refused_and_its_neighbours_are_not(redis: RedisServer) -> None:
    redis.start()
    store = await open_store(redis.url, StoreOptions())
    large = publish(payload=b'"' + b"x" * store.capabilities.max_value + b'"')
    verdicts = await store.commit([Change((publish(),)), Change((large,)), Change((publish(),))])
    assert [type(verdict) for verdict in verdicts] == [type(APPLIED), Refused, type(APPLIED)]
    await store.aclose()


async def test_a_value_larger_than_the_server_takes_is_an_error_that_names_its_limit(redis: RedisServer) -> None:
    redis.start("--proto-max-bulk-len", "1mb")
    store = await open_store(redis.url, StoreOptions())
    with pytest.raises(StoreError, match="proto-max-bulk-len") as caught:
        await store.commit([Change((publish(payload=b'"' + b"x" * 2_000_000 + b'"'),))])
    assert caught.value.code == "STEM-E030"
    assert await store.queues() == ()
    assert await store.commit([Change((publish(),))]) == [APPLIED]
    await store.aclose()


async def test_a_full_memory_refuses_what_is_new_and_outcomes_wait_for_space(
    redis: RedisServer, yard: Yard, journal: Journal
) -> None:
    redis.start()
    async with working(redis.url) as worker, Stem(redis.url) as stem:
        held = await HELD.enqueue(stem)
        await eventually(lambda: journal.started(held.id))
        redis.tell("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreFull) as caught:
            await WORK.enqueue(stem, 0.0)
        assert caught.value.code == "STEM-E034"
        yard.open_gate()
        await eventually(lambda: journal.ended(held.id))
        assert worker.running == 1, "its outcome waits"
        redis.tell("CONFIG", "SET", "maxmemory", "0")
        assert await held.result(timeout=timedelta(seconds=20))
        assert len(journal.started(held.id)) == 1
        await assert_consumes(stem, journal)


async def test_a_disk_that_cannot_be_written_refuses_what_is_new(redis: RedisServer) -> None:
    redis.start()
    redis.tell("CONFIG", "SET", "save", "3600 1")
    (redis.folder / "dump.rdb").mkdir()
    async with Stem(redis.url) as stem:
        kept = await WORK.enqueue(stem, 0.0)
        redis.tell("BGSAVE")
        await eventually(lambda: "rdb_last_bgsave_status:err" in redis.tell("INFO", "persistence"))
        with pytest.raises(StoreFull, match="disk"):
            await WORK.enqueue(stem, 0.0)
        assert [dict(count.counts) for count in await stem.inspect.queues()] == [{TaskState.QUEUED: 1}]
        assert (await kept.status()).attempt == 0
