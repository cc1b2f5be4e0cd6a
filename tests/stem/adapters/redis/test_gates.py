"""Limits with more keys than one call looks at, and that nothing of them is left behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stem.adapters.redis.scripts import KEYS
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import APPLIED, Cancel, Change, Publish, Reschedule
from stem.contracts.limits import TaskLimit
from stem.tasks.rates import Rate, grant, opens_at, parse_rate, tokens
from stem.tasks.status import Failure
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import SUCCESS

NAME = "tests.task"
MANY = 120
YEAR = 365 * 86_400


def limit(rate: str | None = None, concurrency: int | None = None) -> TaskLimit:
    parsed = None if rate is None else parse_rate(rate)
    return TaskLimit(name=NAME, shared=NAME, rate=parsed, concurrency=concurrency)


async def put_all(bench: Bench, writes: Sequence[Publish]) -> list[str]:
    assert set(await bench.store.commit([Change((write,)) for write in writes])) == {APPLIED}
    return [write.envelope.id for write in writes]


async def settled(bench: Bench, wanted: int) -> list[str]:
    """What calls give until they have no more, the lines moved aside on the way."""
    given: list[str] = []
    while (answer := await bench.lease(wanted)).deliveries or answer.next_due == 0:
        given += [delivery.fence.task_id for delivery in answer.deliveries]
    return given


async def numbers(store: RedisStore) -> set[str]:
    found = await store.server.command("HKEYS", store.server.keys[KEYS.index("numbers")])
    return {name.decode(errors="replace").partition(":")[0] for name in found}


async def test_of_many_keys_that_share_one_rate_each_has_its_turn(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit("1/s")])
    writes = [publish(concurrency_key=f"key-{number}") for number in range(MANY)]
    ids = await put_all(bench, [*writes, *[publish(concurrency_key=f"key-{number}") for number in range(MANY)]])
    given = await settled(bench, 10)
    for _ in range(2 * MANY - 1):
        bench.clock.advance(2)
        answer = await bench.lease(10)
        given += [delivery.fence.task_id for delivery in answer.deliveries]
    assert sorted(given) == sorted(ids)


async def test_a_key_that_one_call_does_not_look_at_is_looked_at_by_a_later_one(
    bench: Bench, store: RedisStore
) -> None:
    await store.declare_limits([limit("1/s")])
    first = await put_all(bench, [publish(concurrency_key=f"a-{number}") for number in range(MANY) for _ in range(3)])
    last = await put_all(bench, [publish(concurrency_key="z")])
    given = await settled(bench, 10)
    while not {*given} & {*last}:
        bench.clock.advance(2)
        given += await bench.leased_ids(10)
    assert len(given) < len(first)


async def test_of_many_keys_that_share_one_concurrency_each_has_its_turn(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit(concurrency=1)])
    ids = await put_all(bench, [publish(rate_key=f"key-{number}") for number in range(MANY)])
    given: list[str] = []
    while len(given) < MANY:
        (delivery,) = [delivery for _ in range(2) for delivery in (await bench.lease(10)).deliveries]
        given.append(delivery.fence.task_id)
        await bench.apply(SUCCESS, fence=delivery.fence)
    assert sorted(given) == sorted(ids)
    assert await settled(bench, 10) == []


async def test_two_queues_that_share_one_rate_both_go_on(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit("1/s")])
    await put_all(bench, [publish(queue=queue) for queue in ("a", "b") for _ in range(20)])
    queues: list[str] = []
    for _ in range(12):
        queues += [delivery.queue for delivery in (await bench.lease(5, queues={"a": 1, "b": 1})).deliveries]
        bench.clock.advance(2)
    assert len(queues) == 12
    assert min(queues.count("a"), queues.count("b")) >= 4


async def test_lines_of_more_keys_than_one_call_changes_are_all_judged_anew(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit("1/h")])
    writes = [publish(rate_key=f"key-{number}") for number in range(500)]
    first = await put_all(bench, writes)
    assert sorted(await settled(bench, 100)) == sorted(first)
    second = await put_all(bench, [publish(rate_key=f"key-{number}") for number in range(500)])
    assert await settled(bench, 100) == []
    await store.declare_limits([limit()])
    assert await settled(bench, 100) == second


@pytest.mark.parametrize("rate", [Rate(2, 0), Rate(512_500, 25_000), Rate(36_900_000_000, 90_000_000), Rate(7, 1_000)])
async def test_scripts_calculate_as_the_rates_of_the_tasks_do(bench: Bench, store: RedisStore, rate: Rate) -> None:
    await store.declare_limits([TaskLimit(name=NAME, shared=NAME, rate=rate)])
    await put_all(bench, [publish() for _ in range(40)])
    ahead = 0
    for number in range(12):
        expected = min(3, tokens(rate, ahead, bench.clock.now()))
        assert len((await bench.lease(3)).deliveries) == expected
        ahead = grant(rate, ahead, bench.clock.now(), expected) if expected else ahead
        assert (await store.room(NAME)).opens_at == opens_at(rate, ahead)
        bench.clock.advance((0, 0.000_003, 1.000_001, 40_000)[number % 4])


async def test_a_message_aside_is_the_oldest_that_is_due(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit(concurrency=1)])
    since = bench.clock.now()
    await put_all(bench, [publish(), publish()])
    assert len(await settled(bench, 2)) == 1
    bench.clock.advance(5)
    await bench.put(name="other")
    (queue,) = await store.queues()
    assert queue.oldest_due == since


async def test_of_limits_nothing_is_left_when_their_time_is_over(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit("1/s", 2)])
    keys = ("", "a", "b")
    ids = await put_all(bench, [publish(rate_key=k, concurrency_key=k, result_ttl=0) for k in keys for _ in range(4)])
    for end in (SUCCESS, Reschedule(0, Failure("E", "m"))):
        for delivery in (await bench.lease(9)).deliveries:
            await bench.apply(end, fence=delivery.fence)
        bench.clock.advance(2)
    await settled(bench, 9)
    await store.commit([Change((Cancel(task),)) for task in ids])
    for delivery in await bench.take(*await store.suspects()):
        await bench.apply(SUCCESS, fence=delivery.fence)
    bench.clock.advance(11)
    for delivery in await bench.take(*await store.suspects()):
        await bench.apply(SUCCESS, fence=delivery.fence)
    await store.declare_limits([limit()])
    bench.clock.advance(YEAR)
    await store.retain(1_000)
    left = [
        name for name, key in zip(KEYS, store.server.keys, strict=True) if await store.server.command("EXISTS", key)
    ]
    assert left == ["numbers"]
    assert await numbers(store) == {"seq"}


async def test_a_cancel_of_the_last_that_stood_aside_leaves_no_time_to_look_at(bench: Bench, store: RedisStore) -> None:
    await store.declare_limits([limit("1/h")])
    _, *others = await put_all(bench, [publish() for _ in range(3)])
    assert len(await settled(bench, 3)) == 1
    await store.commit([Change((Cancel(task),)) for task in others])
    assert (await bench.lease()).next_due is None
    assert await numbers(store) == {"seq", "limit", "used"}
