"""Ordinary lives are written as texts: what is stored is, byte for byte, what the general way stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from stem.adapters.redis import RedisStore, open_store
from stem.adapters.redis.scripts import KEYS
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, FENCED, Cancel, Change, Fence, Publish, Report, Settle, Write
from stem.contracts.limits import TaskLimit
from stem.ids import new_id
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Progress
from stem.testing.clock import ManualClock
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import SUCCESS
from tests.servers import RedisServer

OF_LIMITS = {"refused", "order", "numbers"}
UNUSUAL = ["short", "i" * 37, "é" * 18, "é" * 36, "i" * 35 + "é"]


@pytest.fixture
async def other(shared: RedisServer, clock: ManualClock) -> AsyncIterator[Bench]:
    """A namespace in which the same happens in the general way."""
    store = await open_store(shared.url, StoreOptions(clock=clock, namespace=new_id()))
    yield Bench(store, clock)
    await store.aclose()


async def _stored(bench: Bench) -> dict[str, object]:
    """All that a namespace keeps, by the name of its key."""
    assert isinstance(bench.store, RedisStore)
    server = bench.store.server
    kept: dict[str, object] = {}
    for name, key in zip(KEYS, server.keys, strict=True):
        kind = await server.command("TYPE", key)
        if kind == b"hash":
            kept[name] = await server.command("HGETALL", key)
        elif kind == b"zset":
            kept[name] = await server.command("ZRANGE", key, 0, -1, "WITHSCORES")
    return kept


async def _put(bench: Bench, writes: Sequence[Publish]) -> None:
    assert set(await bench.store.commit([Change((write,)) for write in writes])) == {APPLIED}


async def test_a_run_of_publishes_stores_what_a_change_of_them_all_stores(bench: Bench, other: Bench) -> None:
    first = publish(queue="mäil", priority=7, tags=("a",))
    writes = [first, publish(queue="mäil", priority=7), first, publish(delay=5_000_000), publish(id="é")]
    await _put(bench, writes)
    await other.apply(*writes)
    assert await _stored(bench) == await _stored(other)


@pytest.mark.parametrize("count", [1, 3])
async def test_a_first_lease_stores_the_same_where_limits_have_every_row_read(
    bench: Bench, other: Bench, count: int
) -> None:
    writes = [publish(queue="mäil", name=f"name-{number % 2}", delay=0) for number in range(count)]
    await other.store.declare_limits([TaskLimit(name="nobody", shared="nobody", concurrency=1)])
    for each in (bench, other):
        await _put(each, writes)
        await each.lease(9, request_id="call", worker="é", queues={"mäil": 1}, started=2, leases={"name-1": 5_000_000})
    brief, general = await _stored(bench), await _stored(other)
    assert brief.keys() == general.keys() - {"refused", "order"}
    assert [name for name in brief.keys() - OF_LIMITS if brief[name] != general[name]] == []


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "end",
    [SUCCESS, Settle(TaskEvent.SUCCEEDED, None), Settle(TaskEvent.FAILED, b"1")],
    ids=["result", "no result", "failed"],
)
async def test_an_end_stores_what_it_stores_in_a_change_with_another_write(
    bench: Bench, other: Bench, end: Write, count: int, number: int
) -> None:
    writes, known = [publish(result_ttl=60_000_000 * (place // 2)) for place in range(count)], publish(queue="other")
    for each in (bench, other):
        await _put(each, [*writes, known])
        await each.lease(9, request_id="call", started=2)
    bench.clock.advance(1)
    fences = [Fence(write.envelope.id, 1, "call") for write in writes]
    ends = [Change((end,), fence, number + place % 2) for place, fence in enumerate(fences)]
    brief = [*ends, *[Change((known,)) for _ in ends]]
    general = [change._replace(writes=(end, known)) for change in ends]
    for each, batch in ((bench, brief), (other, general)):
        assert set(await each.store.commit(batch)) == {APPLIED}
    assert await _stored(bench) == await _stored(other)


async def test_a_call_is_forgotten_when_some_of_its_leases_ended_in_the_general_way(bench: Bench) -> None:
    for _ in range(4):
        await bench.put()
    one, two, three, four = [delivery.fence for delivery in (await bench.lease(4)).deliveries]
    await bench.apply(Report(Progress(1, 0.5)), fence=two)
    assert (await _stored(bench)).keys() >= {"held", "answers"}
    ends = [Change((SUCCESS,), fence) for fence in (one, two, three)]
    assert await bench.store.commit(ends) == [APPLIED] * 3
    assert (await _stored(bench)).keys() >= {"held", "answers"}
    rescued = await bench.lose(await bench.running())
    assert rescued.fence.counter == 2
    for fence in (four, rescued.fence):
        await bench.apply(SUCCESS, fence=fence)
    assert (await _stored(bench)).keys().isdisjoint({"held", "answers", "leased", "renewed"})


async def test_one_of_several_that_is_rescued_alone_leaves_the_others_to_their_call(bench: Bench) -> None:
    for _ in range(2):
        await bench.put()
    lost, kept = (await bench.lease(2)).deliveries
    rescued = await bench.lose(lost)
    held, answers = (await _stored(bench))["held"], (await _stored(bench))["answers"]
    assert held == {kept.fence.nonce.encode(): b"1"}
    assert isinstance(answers, dict)
    assert answers.keys() == {nonce.encode() for nonce in (kept.fence.nonce, rescued.fence.nonce)}
    await bench.apply(SUCCESS, fence=rescued.fence)
    await bench.apply(SUCCESS, fence=kept.fence)
    assert (await _stored(bench)).keys().isdisjoint({"held", "answers", "leased", "renewed"})


async def test_an_end_told_twice_in_one_batch_is_applied_and_another_is_fenced(bench: Bench) -> None:
    fence = (await bench.running()).fence
    ends = [Change((SUCCESS,), fence), Change((SUCCESS,), fence), Change((SUCCESS,), fence, 2)]
    assert await bench.store.commit(ends) == [APPLIED, APPLIED, FENCED]


async def test_what_is_cancelled_between_two_publishes_of_it_stays_cancelled(bench: Bench) -> None:
    message = publish()
    task_id = message.envelope.id
    batch = [Change((message,)), Change((Cancel(task_id),)), Change((message,))]
    assert await bench.store.commit(batch) == [APPLIED] * 3
    assert await bench.state(task_id) is TaskState.CANCELLED
    assert await bench.leased_ids() == []


@pytest.mark.parametrize("task_id", UNUSUAL)
async def test_a_delivery_with_an_id_of_another_form_is_read_like_any_other(bench: Bench, task_id: str) -> None:
    usual = publish(name="usual")
    await _put(bench, [usual, publish(id=task_id, name="unusual"), publish(name="usual")])
    given = await bench.lease(3, request_id="call")
    assert given.deliveries[1].fence.task_id == task_id
    assert [delivery.name for delivery in given.deliveries] == ["usual", "unusual", "usual"]
    assert (await bench.lease(3, request_id="call")).deliveries == given.deliveries
    assert await bench.store.commit([Change((SUCCESS,), each.fence) for each in given.deliveries]) == [APPLIED] * 3
    assert await bench.state(task_id) is TaskState.SUCCEEDED


async def test_counts_of_nothing_are_not_told_and_are_removed_by_retain(bench: Bench) -> None:
    await bench.put(queue="done")
    await bench.finish(queues={"done": 1})
    counts = (await _stored(bench))["counts"]
    assert counts == {b"queued:done": b"0", b"running:done": b"0", b"succeeded:done": b"1"}
    assert [dict(queue.counts) for queue in await bench.store.queues()] == [{TaskState.SUCCEEDED: 1}]
    await bench.store.retain(10)
    assert (await _stored(bench))["counts"] == {b"succeeded:done": b"1"}
